"""Put the built page into the wheel, at `cluster/site`."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build the page where the wheel is a real one; an editable installation reads `web/dist`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the page's folder to what the wheel takes in."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from cluster.platform.page import SOURCES, ready_page

        if not Path(SOURCES, "package.json").is_file():
            return
        built = ready_page(lambda step: print(step, file=sys.stderr))
        build_data["force_include"][str(built)] = "cluster/site"
