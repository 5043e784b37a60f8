"""The blueprint of a REST resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from regulars_plugin_api.rest.parsing import StrictParser
from regulars_plugin_api.web import PluginBlueprint

View = TypeVar("View", bound=Callable[..., Any])

if TYPE_CHECKING:

    class Described:
        """flask-smorest's blueprint, whose decorators leave a view's type as it is."""

        def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]: ...

        def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]: ...

        def alt_response(self, status: int, **options: Any) -> Callable[[View], View]: ...

else:
    from flask_smorest import Blueprint as Described


class RestBlueprint(PluginBlueprint, Described):
    """A resource under ``/api/v1/<resource>``, described in the OpenAPI document under the tag ``resource``.

    Views are functions, one per method, on a path that begins with ``/`` or is empty::

        @products.route("/<int:product_id>")
        @access("purchases.view")
        @products.response(200, ProductSchema)
        def show(session: Session, product_id: int) -> ProductView: ...

    A view that takes ``session`` gets one: read-only for GET, else a writing transaction that commits with the answer. The answer to an
    ``Idempotency-Key`` is kept in that same transaction; a view that takes no session and writes must itself bear being called again.
    Refuse by raising: whatever is raised rolls back.
    """

    ARGUMENTS_PARSER = StrictParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING: ClassVar[dict[str, str]] = {"json": "application/json", "multipart": "multipart/form-data"}

    def __init__(self, resource: str, import_name: str, *, description: str) -> None:
        self.resource = resource
        # Its name is not the resource's own, which a blueprint of pages may bear.
        super().__init__(f"rest-{resource}", import_name, url_prefix=f"/api/v1/{resource}", template_folder=None, description=description)

    def route(self, rule: str, *, methods: tuple[str, ...] = ("GET",), **options: Any) -> Callable[[View], View]:
        """Declare a view; the tag of its description is the resource."""
        declare: Callable[[View], View] = super().route(rule, methods=list(methods), tags=[self.resource], **options)
        return declare
