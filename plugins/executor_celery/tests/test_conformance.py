"""The plugin keeps the contract."""

from regulars_testkit.conformance import conformance

test_conformance = conformance("executor_celery")
