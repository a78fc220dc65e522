"""The tables of tags.

A collection is a named list that is imported again and again as its author changes it. An import is a version of it:
what is new is added, what is missing is withdrawn, nothing is deleted. So a tag holds from its first import until it is
withdrawn or retracted, and what was known on a day can be said. Statements are kept once.

Numbers of rows are given by whoever writes, and writers wait for one another: later imports have greater numbers and
no earlier times, so what was known at a time are the imports up to one number.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text

from cointrail.database import METADATA

ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")
EXACT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code points on every server: a language's order would take dates apart."""

COLLECTION: Final = Table(
    "tag_collection",
    METADATA,
    Column("collection_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("name", EXACT, nullable=False, unique=True),
)

IMPORT: Final = Table(
    "tag_import",
    METADATA,
    Column("import_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("collection_id", ForeignKey("tag_collection.collection_id"), nullable=False, index=True),
    Column("file_name", EXACT, nullable=False),
    Column("sha256", EXACT, nullable=False),
    Column("format", EXACT, nullable=False),
    Column("reader_version", Integer, nullable=False),
    Column("options", EXACT, nullable=False, comment="JSON: what the reader was told beside the file"),
    Column("content", LargeBinary(32), nullable=False, comment="SHA-256 of the tags and actors that were read"),
    Column("header", EXACT, nullable=False, comment="JSON"),
    Column("imported_utc", EXACT, nullable=False, comment="ISO 8601 with Z"),
    Column("imported_by", EXACT, nullable=False),
    Column("tags", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("skipped", EXACT, nullable=False, comment="JSON: how many, by reason"),
)

STATEMENT: Final = Table(
    "tag_statement",
    METADATA,
    Column("statement_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of its fields"),
    Column("search_key", EXACT, nullable=False, index=True, comment="begin of the label, folded"),
    Column("label", EXACT, nullable=False),
    Column("source", EXACT, nullable=False),
    Column("confidence", EXACT, nullable=False),
    Column("level", SmallInteger, nullable=False, comment="number of the confidence"),
    Column("actor", EXACT, nullable=False, index=True),
    Column("category", EXACT, nullable=False, index=True),
    Column("concepts", EXACT, nullable=False, comment="JSON"),
    Column("abuse", EXACT, nullable=False),
    Column("tag_type", EXACT, nullable=False),
    Column("is_cluster_definer", SmallInteger, nullable=True),
    Column("context", EXACT, nullable=False),
    Column("lastmod", EXACT, nullable=False),
    Column("valid_from", EXACT, nullable=False),
    Column("valid_to", EXACT, nullable=False),
    Column("author", EXACT, nullable=False),
    Column("currency", EXACT, nullable=False),
    Column("network", EXACT, nullable=False),
    Column("extra", EXACT, nullable=False, comment="JSON"),
    Column("claim", LargeBinary(32), comment="SHA-256 of label, actor and source; of every row"),
)

TAG: Final = Table(
    "tag",
    METADATA,
    Column("tag_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("collection_id", ForeignKey("tag_collection.collection_id"), nullable=False),
    Column("statement_id", ForeignKey("tag_statement.statement_id"), nullable=False, index=True),
    Column("kind", SmallInteger, nullable=False, comment="number of the SubjectKind, in its order"),
    Column("subject", EXACT, nullable=False),
    Column("occurrence", Integer, nullable=False, comment="a file may say the same twice: 1, 2, ..."),
    Column(
        "key",
        BigInteger,
        nullable=False,
        comment="first 8 bytes of script_hash, or of SHA-256 of the subject: narrows a search",
    ),
    Column("script_hash", LargeBinary(32), nullable=True, comment="SHA-256 of the scriptPubKey of an address"),
    Column("networks", SmallInteger, nullable=False, comment="bit n: the address is one of NETWORKS[n]"),
    Column("position", BigInteger, nullable=False, comment="place in the newest version that holds it, from 0"),
    Column("line", BigInteger, nullable=False, comment="where it began in the file of its first import"),
    Column("first_import", ForeignKey("tag_import.import_id"), nullable=False),
    Column("withdrawn_by", ForeignKey("tag_import.import_id"), nullable=True),
    Index("ix_tag_key", "key"),
    Index("ix_tag_collection_id", "collection_id", "key"),
)

RETRACTION: Final = Table(
    "tag_retraction",
    METADATA,
    Column("retraction_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("collection_id", ForeignKey("tag_collection.collection_id"), nullable=False),
    Column("statement_id", ForeignKey("tag_statement.statement_id"), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("subject", EXACT, nullable=False),
    Column("key", BigInteger, nullable=False, comment="as in tag"),
    Column("retracted_utc", EXACT, nullable=False, comment="ISO 8601 with Z"),
    Column("retracted_by", EXACT, nullable=False),
    Column("reason", EXACT, nullable=False),
    Column("lifted_utc", EXACT, nullable=True, comment="ISO 8601 with Z: when it was taken back"),
    Column("lifted_by", EXACT, nullable=True),
    Column("claim", LargeBinary(32), comment="of the statement; of every row"),
    Index("ix_tag_retraction_key", "key", "claim"),
)

ACTOR: Final = Table(
    "actor",
    METADATA,
    Column("row_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("collection_id", ForeignKey("tag_collection.collection_id"), nullable=False, index=True),
    Column("actor", EXACT, nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, comment="SHA-256 of its fields"),
    Column("fields", EXACT, nullable=False, comment="JSON: an Actor"),
    Column("position", BigInteger, nullable=False, comment="place in the newest version that holds it, from 0"),
    Column("first_import", ForeignKey("tag_import.import_id"), nullable=False),
    Column("withdrawn_by", ForeignKey("tag_import.import_id"), nullable=True),
)
