"""The enricher of this machine's installed data."""

import os
from pathlib import Path

from streams.enrichment.enrich import Enricher
from streams.enrichment.networks import NetworkTable
from streams.enrichment.public_suffix import PublicSuffixes
from streams.enrichment.warninglist_cache import cache_folder, load_index
from streams.enrichment.warninglists import installed_folder


def installed_enricher(cache: Path | None = None) -> Enricher:
    """Load the installed data. Raises ``WarninglistCacheError`` if the cache can be neither read nor written.

    The warninglists are compiled once for a machine (about ten seconds) and stored in ``cache``, by default the user's
    cache folder.
    """
    folder = cache_folder(os.environ) if cache is None else cache
    return Enricher(PublicSuffixes.load(), NetworkTable.load(), load_index(installed_folder(), folder))
