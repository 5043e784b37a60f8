"""regulars celery worker"""

from __future__ import annotations

import click

from regulars_plugin_api.cli import CommandLine, JsonGroup


@click.group("celery", cls=JsonGroup)
def celery() -> None:
    """Event handlers on a Celery cluster."""


@celery.command()
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64), help="Batches at a time.")
@click.pass_obj
def worker(console: CommandLine, concurrency: int) -> int:
    """Deliver the batches that `regulars worker` passes on, until told to stop."""
    from regulars_executor_celery.worker import run

    return run(console.crm(), concurrency)
