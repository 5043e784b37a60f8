"""The sample plugin ``wrapping`` spoiled in one place, and the check that has to say so."""

from __future__ import annotations

from dataclasses import dataclass, field

RAISES = '@hookimpl\ndef crm_started(crm: Crm) -> None:\n    raise ValueError("not today")\n\n\n'
STAYS_IN_THE_MENU = """@hookimpl
def crm_started(crm: Crm) -> None:
    collect = crm.hooks.collect

    def always(spec, *args, **kwargs):
        found = collect(spec, *args, **kwargs)
        entry = NavItem(_("Wishes"), "wrapping.listed", "wrapping.view")
        return [*found, entry] if spec.__name__ == "nav_items" and entry not in found else found

    crm.hooks.collect = always


"""
WRITES_AT_START = """@hookimpl
def crm_started(crm: Crm) -> None:
    import secrets
    from sample_plugins.wrapping.models import Paper

    with crm.transaction() as session:
        session.add(Paper(name=secrets.token_hex(4)))


"""
UNITES = """@hookimpl
def customers_merging(crm: Crm, session: Session, keep_id: int, drop_id: int) -> None:
    import sqlalchemy as sa
    from sample_plugins.wrapping.models import Wish

    session.execute(sa.{what}(Wish).where(Wish.customer_id == drop_id){rest})


"""
COPIES_NAME = """
    from regulars_plugin_api.services import crm_of
    from sample_plugins.wrapping.models import Paper

    customer = crm_of(session).customers.get(event.body.customer_id, session=session)
    session.add(Paper(name=customer.display_name))
"""
IN_EVERY_REQUEST = """@pages.after_app_request
def count(response):
    import secrets
    from sample_plugins.wrapping.models import Paper

    with current_crm().transaction() as session:
        session.add(Paper(name=secrets.token_hex(4)))
    return response


"""
WRITES_WHILE_READING = """import secrets
    from sample_plugins.wrapping.models import Paper

    with current_crm().transaction() as session:
        session.add(Paper(name=secrets.token_hex(4)))
    viewer = current_viewer()"""
ASKS_PER_ROW = """import sqlalchemy as sa

        for _one in service.listed(session, viewer):
            session.execute(sa.text("SELECT 1"))
        return render("""
VIEW = 'op.execute("CREATE VIEW wrapping_all AS SELECT id FROM wrapping_paper")\n\n\ndef downgrade() -> None:'
MORE = 'op.create_table("{name}", sa.Column("id", BigInt))\n\n\ndef downgrade() -> None:\n    op.drop_table("{name}")'
LOOSE = '\n\nloose = sa.Table("wrapping_loose", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))\n'
CLEARS_ONE = "erase=type(PersonalTable.erase).CLEAR, clear=('folded',)"
FLOATS = "words: Mapped[float] = mapped_column(sa.Float)"
ONE_MORE = "paper: Mapped[str | None]\n    words: Mapped[str]"
HALF_BACK = 'table.alter_column("words", nullable=True)\n        table.drop_column("ribbon")'
REFUSAL = '"Say what the customer wants."'
FIRST_HOOK = "@hookimpl\ndef plugin_enabled"
FIRST_VIEW = '@pages.get("/")'
GREETS = '"""Take note of a new customer."""'
STEP = "migrations/versions/wrapping_0001.py"
DOWN = "def downgrade() -> None:"
LIST = "templates/wrapping/list.html"


@dataclass(frozen=True)
class Spoiled:
    """What is spoiled, by path ``(before, after)`` or whole files, and what the check says of it."""

    check: str
    says: str
    edits: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    version: int = 1


def _plugin(check: str, says: str, before: str, after: str) -> Spoiled:
    return Spoiled(check, says, {"plugin.py": (before, after)})


def _with_hook(check: str, says: str, hook: str) -> Spoiled:
    return _plugin(check, says, FIRST_HOOK, hook + FIRST_HOOK)


def _imports(says: str, line: str) -> Spoiled:
    lines = f"    {line}\n\n    if not words.strip():"
    return Spoiled("imports.only_the_contract", says, {"service.py": ("    if not words.strip():", lines)})


SPOILED = [
    _plugin("package.loads", "version 9.0 of the plugin contract", 'api="1.0"', 'api="9.0"'),
    _plugin("package.loads", "could not be imported: SystemExit", FIRST_HOOK, "raise SystemExit(1)\n" + FIRST_HOOK),
    _plugin("package.named", "summary is empty", '_("How customers want presents wrapped.")', '""'),
    _plugin("package.is_admitted", "Its permission other.edit", 'Permission("wrapping.edit"', 'Permission("other.edit"'),
    _plugin("package.is_admitted", "there is no hook named nav_entries", "def nav_items", "def nav_entries"),
    _with_hook("package.switches_on", "crm_started failed: ValueError: not today", RAISES),
    _imports("imports regulars_core.crm", "from regulars_core.crm import Crm"),
    _imports("imports regulars_web", "import regulars_web"),
    _imports("imports regulars_core.config", '__import__("regulars_core.config")'),
    _imports("imports regulars_core.customers", '__import__("sys").modules["regulars_core.customers"]'),
    _imports("imports regulars_purchases.api", "from regulars_purchases.api import anything"),
    Spoiled("imports.nothing_private", "imports _Scaled", {"models.py": ("Base, CustomerOwned,", "Base, CustomerOwned, _Scaled,")}),
    _plugin("hooks.known", "nav_items is not marked", "@hookimpl\ndef nav_items", "def nav_items"),
    _plugin("hooks.annotated", "nav_items answers with collections.abc.Iterable", "-> Iterable[NavItem]", "-> Iterable[Panel]"),
    _plugin("hooks.annotated", "find_customer(identifier) is annotated int", "identifier: str", "identifier: int"),
    _plugin("hooks.answer", "find_customer failed: TypeError", "    return None", '    return "4711"'),
    _plugin("hooks.answer", "nav_items failed: KeyError", "    yield NavItem(", "    {}[1]\n    yield NavItem("),
    _plugin("hooks.in_time", "nav_items takes 0.", "    yield NavItem(", '    __import__("time").sleep(0.1)\n    yield NavItem('),
    Spoiled("tables.prefixed", "The table loose does not begin", {STEP: (DOWN, "    " + MORE.format(name="loose"))}),
    Spoiled("tables.foreign_keys", "ondelete=RESTRICT", {"models.py": ('"SET NULL"', '"RESTRICT"')}),
    Spoiled(
        "tables.exact", "wish.words is a Float", {"models.py": ("words: Mapped[str]", "words: Mapped[float] = mapped_column(sa.Float)")}
    ),
    Spoiled(
        "tables.exact",
        "wish.made_at is a DateTime",
        {"models.py": ("made_at: Mapped[dt.datetime]", "made_at: Mapped[dt.datetime] = mapped_column(sa.DateTime)")},
    ),
    Spoiled("tables.numbered_once", "_loose may use a number again", {"models.py": ("\n\nclass Wish", LOOSE + "\n\nclass Wish")}),
    _plugin("settings.defaults_load", "The setting most has no default", "load_default=5", "required=True"),
    _plugin("settings.explained", "has no description", ', "description": _("More than these are refused.")', ""),
    _plugin("contributions.named", "offers wishes.count", 'FilterField("wrapping.count"', 'FilterField("wishes.count"'),
    _plugin("contributions.lead_somewhere", ".nowhere, which is no view", '"wrapping.listed"', '"wrapping.nowhere"'),
    _plugin("contributions.lead_somewhere", "/none.html, which is not there", "wrapping/panel.html", "wrapping/none.html"),
    _plugin("contributions.permitted", "asks for other.see", '"wrapping.view", service.numbers', '"other.see", service.numbers'),
    Spoiled("contributions.work", "KeyError: 'gt'", {"service.py": ('"gt": count > int(value), ', "")}),
    Spoiled("contributions.work", "customer_id, kind, row, store_id", {"service.py": ('label("ref")', 'label("row")')}),
    Spoiled("contributions.work", "does not say what each", {"service.py": ("for wish_id, words in found}", "for wish_id, words in ()}")}),
    Spoiled("access.declared", "has no access rule", {"views.py": ('@access("wrapping.edit")\n', "")}),
    Spoiled("access.declared", "asks for other.edit", {"views.py": ('@access("wrapping.edit")', '@access("other.edit")')}),
    Spoiled("access.strangers_stay_out", "gets 200 from GET", {"views.py": ('@access("wrapping.view")', '@access("signed-in")')}),
    Spoiled("access.strangers_stay_out", "changes the database by", {"views.py": (FIRST_VIEW, IN_EVERY_REQUEST + FIRST_VIEW)}),
    Spoiled("access.reading_changes_nothing", "changes the database", {"views.py": ("viewer = current_viewer()", WRITES_WHILE_READING)}),
    Spoiled("pages.stand", "'str object' has no attribute", {"templates/wrapping/panel.html": ("{{ one }}", "{{ one.no.thing }}")}),
    Spoiled("pages.stand", "answers 500 with rows", {LIST: ("{{ one.words }}", "{{ one.no.thing }}")}),
    Spoiled("pages.same_count", "statements for one row and", {"views.py": ("return render(", ASKS_PER_ROW)}),
    Spoiled(
        "switched_off.addresses_are_gone",
        "Switched off, GET",
        {"views.py": (FIRST_VIEW, '@pages.app_errorhandler(404)\ndef welcome(_error):\n    return "welcome", 200\n\n\n' + FIRST_VIEW)},
    ),
    _with_hook("switched_off.says_nothing", "Switched off, it is still on /", STAYS_IN_THE_MENU),
    Spoiled("switched_off.nothing_everywhere", "is run after every request", {"views.py": (FIRST_VIEW, IN_EVERY_REQUEST + FIRST_VIEW)}),
    Spoiled("events.named", "The type of WishMade is 'wish.made'", {"events.py": ('"wrapping.wish_made"', '"wish.made"')}),
    Spoiled("events.kept_whole", "WishMade can't be kept as JSON", {"events.py": ("on: dt.date", "on: set[int]")}),
    Spoiled(
        "events.explained",
        "WishMade has no docstring",
        {"events.py": ('"""A customer said how presents should be wrapped, on the day ``on``."""', "")},
    ),
    Spoiled(
        "migrations.there",
        "first is not named after",
        {STEP: ('= "wrapping_0001"', '= "first"')},
    ),
    Spoiled("migrations.up_back_and_up", "Taken back, the migrations leave", {STEP: ('    op.drop_table("wrapping_paper")\n', "")}),
    Spoiled(
        "migrations.one_back",
        "The newest migration, taken back and again",
        {
            "migrations/versions/wrapping_0002.py": (
                'table.drop_column("ribbon")',
                'table.alter_column("words", nullable=True)\n        table.drop_column("ribbon")',
            )
        },
        version=2,
    ),
    Spoiled(
        "migrations.in_step",
        "Model and migrations differ: add_column",
        {"models.py": ("words: Mapped[str]", ONE_MORE)},
    ),
    Spoiled("life_cycle.planned", "The plan does not name the table", {STEP: (DOWN, "    " + MORE.format(name="wrapping_more"))}),
    _plugin(
        "life_cycle.off_and_on_again",
        "Switching the plugin on again changed rows",
        "    if first_time:\n        service.seed(session)",
        '    service.PAPERS = ("Red",) if first_time else ("Blue",)\n    service.seed(session)',
    ),
    _with_hook("life_cycle.package_removed", "the plugin is not as it was", WRITES_AT_START),
    Spoiled("life_cycle.purged", "Purging leaves views", {STEP: (DOWN, "    " + VIEW)}),
    Spoiled("life_cycle.purged_without_the_package", "Purging without the package leaves views", {STEP: (DOWN, "    " + VIEW)}),
    _plugin("personal_data.mapped", "does not say what becomes of its rows", "personal_data=(", "personal_data=() and ("),
    _plugin("personal_data.mapped", "wish.price, which is not there", '"occasion", "made_at"', '"occasion", "price"'),
    _plugin("personal_data.handed_out", "wish.words is not in the package", 'export=("words", ', "export=("),
    _plugin("personal_data.united", "rows of wrapping", "merge=Merge.MOVE", "merge=Merge.HOOK"),
    _with_hook("personal_data.united", "lost 1 rows of", UNITES.format(what="delete", rest="")),
    _with_hook("personal_data.united", "did not restore", UNITES.format(what="update", rest='.values(words="gone")')),
    _plugin("personal_data.forgotten", "first_name is still in", GREETS, GREETS + COPIES_NAME),
    _plugin("personal_data.forgotten", "wish.words is still in", "merge=Merge.MOVE", CLEARS_ONE),
    _plugin("personal_data.forgotten_without_the_package", "first_name is still in", GREETS, GREETS + COPIES_NAME),
    _plugin("translations.titles", "title='Presents' is the same", 'title=_("Presents")', 'title="Presents"'),
    _plugin("translations.titles", "nav_items: label='Wishes'", 'NavItem(_("Wishes")', 'NavItem("Wishes"'),
    Spoiled(
        "translations.refusals",
        "refuses with 'Say what",
        {"service.py": (f"_({REFUSAL})", REFUSAL)},
    ),
    Spoiled("translations.templates", "says 'Wishes'", {LIST: ('<h1>{{ _("Wishes") }}</h1>', "<h1>Wishes</h1>")}),
    Spoiled("translations.templates", "says 'To the customer'", {LIST: ("{{ _('To the customer') }}", "To the customer")}),
    Spoiled("translations.swedish", "1 messages are not translated to sv, such as 'Zebra'", {LIST: ('_("Wishes")', '_("Zebra")')}),
    Spoiled(
        "translations.swedish",
        "changed and not compiled",
        {"translations/sv/LC_MESSAGES/regulars_wrapping.po": ('"Till kunden"', '"Till denna kund"')},
    ),
    Spoiled("translations.five_languages", "not translated to zh, such as 'Zebra'", {LIST: ('_("Wishes")', '_("Zebra")')}),
    Spoiled("documentation.readme", "The README has 5 characters", files={"README.md": "short"}),
    _plugin("documentation.address", "docs is ''", 'docs="https://docs.example.com/wrapping"', 'docs=""'),
    Spoiled("documentation.public_part", "api.py: count has no docstring", {"api.py": ('    """How many wishes a customer has."""\n', "")}),
]
