"""What REST resources are made of, the platform's own and those of plugins.

``receipts = RestBlueprint("receipts", __name__, description=…)`` is a flask-smorest blueprint under ``/api/v1/receipts``; its views are
functions with ``@access``, ``@receipts.arguments`` and ``@receipts.response``. The host sees to the rest: tokens and sessions, unknown
parameters, content types, ``Idempotency-Key``, problem documents, the description at ``/api/v1/openapi.json``.
"""

from regulars_plugin_api.rest.blueprint import RestBlueprint
from regulars_plugin_api.rest.conditional import answer_of, etag_of, refuse_stale
from regulars_plugin_api.rest.paging import PageQuery, Place, page, page_of, page_schema
from regulars_plugin_api.rest.parsing import json_of
from regulars_plugin_api.rest.problems import Refused
from regulars_plugin_api.rest.schemas import Amount, CustomerRef, RestSchema, customer_id_of

__all__ = [
    "Amount",
    "CustomerRef",
    "PageQuery",
    "Place",
    "Refused",
    "RestBlueprint",
    "RestSchema",
    "answer_of",
    "customer_id_of",
    "etag_of",
    "json_of",
    "page",
    "page_of",
    "page_schema",
    "refuse_stale",
]
