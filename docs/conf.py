"""How the manual is built: `make docs`."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from regulars_plugin_api.version import __version__

logging.getLogger("grimp").setLevel(logging.WARNING)

project = "Regulars"
author = "The Regulars maintainers"
copyright = "The Regulars maintainers, Apache-2.0"
release = __version__
extensions = ["myst_parser", "house"]
exclude_patterns = ["_build", "_generated", "plugin-template"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"Regulars {release}"
