"""活动内容: the kinds of content for which a document is not sealed unless the instance permits them."""

from __future__ import annotations

from enum import StrEnum


class ContentKind(StrEnum):
    """活动内容种类: what in a document runs, launches, fetches or hides something."""

    JAVASCRIPT = "javascript"
    """Scripts: JavaScript actions and name tree, rendition scripts, scripts of 3D and rich media."""
    LAUNCH = "launch"
    """Actions that start a program or open a file."""
    EXTERNAL = "external"
    """What is taken from or sent to elsewhere: remote go-to, form submission and import, external streams, files and
    reference XObjects, and links that are followed without a click. A link that is clicked is an ordinary link."""
    HIDDEN_LAYERS = "hidden_layers"
    """Optional content that is off by default, depends on print or view, or is switched by an action."""
