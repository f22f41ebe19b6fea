"""Opens the page in a browser of this machine."""

import logging
import webbrowser

from fruits_pipeline.storage import uri

log = logging.getLogger(__name__)


def open_page(address: str) -> None:
    """Opens the page in a browser of this machine, and says why where it cannot."""
    if uri.scheme(address) != "file":
        log.warning("not opened because it is in a bucket: %s", address)
    elif not webbrowser.open(address.replace("%", "%25").replace("#", "%23").replace("?", "%3F")):
        log.warning("not opened because no browser was found here: %s", address)
