"""OFAC's `sdn_advanced.xml`: currencies have numbers, parties names and features, and listings come last.

A party's feature names its currency by number and its address as the text of `VersionDetail`. The programmes and the
day of the listing stand in `SanctionsEntries`, by the number of the party's profile.
"""

from collections.abc import Mapping
from typing import Final

from cointrail.attribution.formats.ofac_party import BITCOIN, CURRENCY, MOST_SMALL, Listed, Party, TooMany, iso_day

_REMEMBERED: Final = frozenset(
    {"FeatureType", "NamePartType", "SanctionsType", "Alias", "NamePartValue", "Feature", "SanctionsMeasure"}
)
_TEXTS: Final = frozenset(
    {
        "FeatureType",
        "NamePartType",
        "SanctionsType",
        "NamePartValue",
        "VersionDetail",
        "Comment",
        "Year",
        "Month",
        "Day",
    }
)
_PROGRAMME = "Program"
_LAST_NAME = "Last Name"


class Advanced:
    """The shape of `sdn_advanced.xml`."""

    ROOT: Final = "Sanctions"

    def __init__(self) -> None:
        self.listed = Listed()
        self._currency: dict[str, str] = {}  # by FeatureTypeID
        self._name_part: dict[str, str] = {}  # by NamePartTypeID
        self._measure: set[str] = set()  # SanctionsTypeIDs whose comment is a programme
        self._by_profile: dict[str, list[Party]] = {}
        self._entry: list[Party] = []
        self._last: dict[str, Mapping[str, str]] = {}  # attributes of the last element of each name
        self._date: dict[str, str] = {}
        self._line = 0
        self._begin_party("")

    def opened(self, path: list[str], attributes: Mapping[str, str], line: int) -> bool:
        """An element begins."""
        name = path[-1]
        if name in _REMEMBERED:
            self._last[name] = attributes
        if name == "DistinctParty":
            self._begin_party(attributes.get("FixedRef", ""))
        elif name == "Profile":
            self._profiles.append(attributes.get("ID", ""))
        elif name == "NamePartGroup":
            self._groups[attributes.get("ID", "")] = self._name_part.get(attributes.get("NamePartTypeID", ""), "")
        elif name in ("DateOfIssue", "EntryEvent"):
            self._date = {}
        elif name == "SanctionsEntry":
            self._entry = self._by_profile.get(attributes.get("ProfileID", ""), [])
        elif name == "VersionDetail":
            self._line = line
        if max(len(self._profiles), len(self._groups)) > MOST_SMALL:
            raise TooMany
        return name in _TEXTS

    def closed(self, path: list[str], text: str) -> None:
        """An element ends."""
        name = path[-1]
        if name in ("Year", "Month", "Day"):
            self._date[name] = text
        elif name in ("FeatureType", "NamePartType", "SanctionsType"):
            self._reference(name, text)
        elif name == "NamePartValue":
            self._part(text)
        elif name == "DocumentedName":
            self._named = bool(self._parts)
        elif name == "VersionDetail":
            currency = self._currency.get(self._of_last("Feature", "FeatureTypeID"))
            if currency is not None:
                self.listed.add(self._party, currency, text, self._line)
        elif name == "DistinctParty":
            self._end_party()
        elif name == "DateOfIssue":
            self.listed.issued = self._day()
        elif name == "EntryEvent":
            self._listed_on(self._day())
        elif name == "Comment" and path[-2:-1] == ["SanctionsMeasure"]:
            self._programme(text)

    def missing(self) -> str:
        """What is missing at the end of the file.

        Of a party without an event nobody knows since when it is listed: the list's day is only that of the statement.
        """
        for party in self.listed.parties:
            party.stated = party.listed or self.listed.issued
        return "" if BITCOIN in self._currency.values() else f"it has no feature type {CURRENCY}{BITCOIN}"

    def _begin_party(self, number: str) -> None:
        self._party = Party(number)
        self._profiles: list[str] = []
        self._groups: dict[str, str] = {}
        self._parts: list[tuple[str, str]] = []
        self._named = False

    def _end_party(self) -> None:
        """The name as OFAC's own lists write it: last name, a comma, the rest."""
        last = [text for group, text in self._parts if self._groups.get(group) == _LAST_NAME]
        rest = [text for group, text in self._parts if self._groups.get(group) != _LAST_NAME]
        self._party.name = ", ".join(" ".join(part) for part in (last, rest) if part)
        if self.listed.keep(self._party):
            for profile in self._profiles:
                self._by_profile.setdefault(profile, []).append(self._party)
        self._begin_party("")

    def _reference(self, name: str, text: str) -> None:
        number = self._of_last(name, "ID")
        if name == "FeatureType" and text.startswith(CURRENCY):
            self._currency[number] = text.removeprefix(CURRENCY).strip()
        elif name == "NamePartType":
            self._name_part[number] = text
        elif name == "SanctionsType" and text == _PROGRAMME:
            self._measure.add(number)
        if max(len(self._currency), len(self._name_part), len(self._measure)) > MOST_SMALL:
            raise TooMany

    def _part(self, text: str) -> None:
        """A part of a name: the first documented one of the primary alias counts."""
        if text and not self._named and self._of_last("Alias", "Primary").lower() in ("true", "1"):
            self._parts.append((self._of_last("NamePartValue", "NamePartGroupID"), text))
            if len(self._parts) > MOST_SMALL:
                raise TooMany

    def _day(self) -> str:
        return iso_day(*(self._date.get(part, "") for part in ("Year", "Month", "Day")))

    def _listed_on(self, day: str) -> None:
        for party in self._entry:
            party.listed = min(filter(None, (day, party.listed)), default="")

    def _programme(self, text: str) -> None:
        if text and self._of_last("SanctionsMeasure", "SanctionsTypeID") in self._measure:
            for party in self._entry:
                if text not in party.programmes:
                    party.programmes.append(text)
                if len(party.programmes) > MOST_SMALL:
                    raise TooMany

    def _of_last(self, name: str, attribute: str) -> str:
        return self._last.get(name, {}).get(attribute, "")
