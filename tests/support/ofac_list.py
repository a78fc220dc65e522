"""OFAC's `sdn_advanced.xml` and `SDN.XML` as their publisher shapes them, with invented parties.

The elements, their order and their attributes follow the published list; of each kind of value only a few are there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

# ruff: noqa: E501 - lines of XML as they are published

NAME_SPACE = "http://www.un.org/sanctions/1.0"
CURRENCIES = {"344": "XBT", "345": "ETH", "444": "XMR", "566": "USDT"}


@dataclass(frozen=True)
class Sanctioned:
    """A party; `name` is (last, first) of a person or (name,) of an organisation."""

    number: int
    name: tuple[str, ...]
    addresses: Sequence[tuple[str, str]] = ()  # (currency, address)
    programmes: Sequence[str] = ("CYBER2",)
    listed: tuple[int, int, int] | None = (2018, 11, 28)
    aliases: Sequence[str] = field(default=("ALIAS",))


def advanced(
    parties: Sequence[Sanctioned],
    *,
    name_space: str = NAME_SPACE,
    prefix: str = "",
    issued: tuple[int, int, int] = (2024, 5, 20),
) -> Iterator[str]:
    """The advanced list, in pieces of one line or more."""
    open_, close = f"<{prefix}", f"</{prefix}"

    def written(xml: str) -> str:
        return xml.replace("</", close.replace("<", "\x01")).replace("<", open_).replace("\x01", "<") if prefix else xml

    bound = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield written(f'<Sanctions {bound}="{name_space}" Version="1">\n')
    yield written(f'<DateOfIssue CalendarTypeID="1">{_date(issued)}</DateOfIssue>\n<ReferenceValueSets>\n')
    yield written(
        '<AliasTypeValues><AliasType ID="1400">A.K.A.</AliasType><AliasType ID="1403">Name</AliasType></AliasTypeValues>\n'
    )
    yield written('<FeatureTypeValues>\n<FeatureType ID="8" FeatureTypeGroupID="1">Birthdate</FeatureType>\n')
    for number, currency in CURRENCIES.items():
        yield written(
            f'<FeatureType ID="{number}" FeatureTypeGroupID="1">Digital Currency Address - {currency}</FeatureType>\n'
        )
    yield written("</FeatureTypeValues>\n<NamePartTypeValues>\n")
    for number, kind in (("1520", "Last Name"), ("1521", "First Name"), ("1525", "Entity Name")):
        yield written(f'<NamePartType ID="{number}">{kind}</NamePartType>\n')
    yield written('</NamePartTypeValues>\n<SanctionsTypeValues><SanctionsType ID="1">Program</SanctionsType>\n')
    yield written('<SanctionsType ID="1705">Block</SanctionsType></SanctionsTypeValues>\n</ReferenceValueSets>\n')
    yield written("<Locations /><IDRegDocuments />\n<DistinctParties>\n")
    for party in parties:
        yield written(_party(party))
    yield written("</DistinctParties>\n<ProfileRelationships />\n<SanctionsEntries>\n")
    for party in parties:
        yield written(_entry(party))
    yield written("</SanctionsEntries>\n<SanctionsEntryLinks />\n</Sanctions>\n")


def basic(parties: Sequence[Sanctioned]) -> Iterator[str]:
    """The shorter list."""
    yield '<?xml version="1.0" standalone="yes"?>\n<sdnList xmlns="http://tempuri.org/sdnList.xsd">\n'
    yield "<publshInformation><Publish_Date>05/20/2024</Publish_Date><Record_Count>2</Record_Count></publshInformation>\n"
    for party in parties:
        yield f"<sdnEntry>\n<uid>{party.number}</uid>\n"
        if len(party.name) > 1:
            yield f"<firstName>{escape(party.name[1])}</firstName>\n"
        yield f"<lastName>{escape(party.name[0])}</lastName>\n<programList>\n"
        yield (
            "".join(f"<program>{escape(each)}</program>\n" for each in party.programmes) + "</programList>\n<idList>\n"
        )
        for place, (currency, address) in enumerate(party.addresses):
            yield f"<id><uid>{place + 1}</uid><idType>Digital Currency Address - {currency}</idType>\n"
            yield f"<idNumber>{escape(address)}</idNumber></id>\n"
        yield "<id><uid>9</uid><idType>Passport</idType><idNumber>A123</idNumber></id>\n</idList>\n<akaList>"
        yield "".join(f"<aka><uid>7</uid><lastName>{escape(each)}</lastName></aka>" for each in party.aliases)
        yield "</akaList>\n</sdnEntry>\n"
    yield "</sdnList>\n"


def _date(day: tuple[int, int, int]) -> str:
    return f"<Year>{day[0]}</Year><Month>{day[1]}</Month><Day>{day[2]}</Day>"


def _party(party: Sanctioned) -> str:
    number, person = party.number, len(party.name) > 1
    parts = "".join(
        f'<DocumentedNamePart><NamePartValue NamePartGroupID="{number}{place}" ScriptID="215">{escape(part)}</NamePartValue>'
        "</DocumentedNamePart>"
        for place, part in enumerate(party.name)
    )
    kinds = ("1520", "1521") if person else ("1525",)
    groups = "".join(
        f'<MasterNamePartGroup><NamePartGroup ID="{number}{place}" NamePartTypeID="{kind}" /></MasterNamePartGroup>'
        for place, kind in enumerate(kinds)
    )
    others = "".join(
        f'<Alias FixedRef="{number}" AliasTypeID="1400" Primary="false"><DocumentedName ID="9"><DocumentedNamePart>'
        f"<NamePartValue>{escape(each)}</NamePartValue></DocumentedNamePart></DocumentedName></Alias>\n"
        for each in party.aliases
    )
    type_of = {currency: type_number for type_number, currency in CURRENCIES.items()}
    features = "".join(
        f'<Feature ID="{number}{place}" FeatureTypeID="{type_of[currency]}">\n<FeatureVersion ID="{place}" ReliabilityID="1560">\n'
        f'<Comment />\n<VersionDetail DetailTypeID="1432">{escape(address)}</VersionDetail>\n</FeatureVersion>\n'
        f'<IdentityReference IdentityID="{number}" IdentityFeatureLinkTypeID="1" />\n</Feature>\n'
        for place, (currency, address) in enumerate(party.addresses)
    )
    return (
        f'<DistinctParty FixedRef="{number}">\n<Comment />\n<Profile ID="{number}" PartySubTypeID="{4 if person else 3}">\n'
        f'<Identity ID="{number}" FixedRef="{number}" Primary="true" False="false">\n{others}'
        f'<Alias FixedRef="{number}" AliasTypeID="1403" Primary="true" LowQuality="false">'
        f'<DocumentedName ID="{number}" FixedRef="{number}" DocNameStatusID="1">{parts}</DocumentedName>'
        '<DocumentedName ID="8" DocNameStatusID="2"><DocumentedNamePart><NamePartValue ScriptID="220">\u0418\u041c\u042f</NamePartValue>'
        "</DocumentedNamePart></DocumentedName></Alias>\n"
        f"<NamePartGroups>{groups}</NamePartGroups>\n</Identity>\n"
        f'<Feature ID="{number}99" FeatureTypeID="8"><FeatureVersion ID="1" ReliabilityID="1"><Comment />'
        '<DatePeriod CalendarTypeID="1"><Start Approximate="false"><From><Year>1980</Year><Month>1</Month><Day>1</Day></From></Start>'
        f'</DatePeriod><VersionDetail DetailTypeID="1430" /></FeatureVersion></Feature>\n{features}</Profile>\n</DistinctParty>\n'
    )


def _entry(party: Sanctioned) -> str:
    date = f'<Date CalendarTypeID="1">{_date(party.listed)}</Date>' if party.listed else ""
    measures = "".join(
        f'<SanctionsMeasure ID="{place}" SanctionsTypeID="1"><Comment>{escape(each)}</Comment></SanctionsMeasure>'
        for place, each in enumerate(party.programmes)
    )
    return (
        f'<SanctionsEntry ID="{party.number}" ProfileID="{party.number}" ListID="1550">\n'
        f'<EntryEvent ID="1" EntryEventTypeID="1" LegalBasisID="1"><Comment />{date}</EntryEvent>\n'
        f'<SanctionsMeasure ID="0" SanctionsTypeID="1705"><Comment>not a programme</Comment></SanctionsMeasure>{measures}\n'
        "</SanctionsEntry>\n"
    )
