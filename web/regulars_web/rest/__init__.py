"""REST v1: ``/api/v1``, its description and the page to read it."""
