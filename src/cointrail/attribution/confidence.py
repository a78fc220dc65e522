"""The named levels of confidence of a tag: an ordinal scale of sources, never a probability.

Names and numbers are GraphSense's, so that packs can be exchanged (RELIABILITY.md 6, FEATURES.md 6).
"""

from collections.abc import Mapping
from typing import Final

CONFIDENCE: Final[Mapping[str, int]] = {
    "override": 100,
    "ownership": 100,
    "ledger_immanent": 100,
    "manual_transaction": 90,
    "service_api": 70,
    "forensic_investigation": 70,
    "authority_data": 60,
    "trusted_provider": 50,
    "service_data": 50,
    "forensic": 50,
    "untrusted_transaction": 40,
    "web_crawl": 20,
    "heuristic": 10,
    "unknown": 5,
}

UNKNOWN: Final = "unknown"

NO_CONFIDENCE: Final = "no confidence given: read as `unknown`"
"""In `Pack.skipped`: of how many tags the file says none. Nothing was left out."""

SPEAKS_FOR_CLUSTERS: Final = CONFIDENCE["service_data"]
"""Least level at which a tag may speak for the cluster of its address (METHODS.md 7.4)."""

NAMES: Final = CONFIDENCE["authority_data"]
"""Least level at which one assertion alone may name somebody (RELIABILITY.md 5, rule 4)."""
