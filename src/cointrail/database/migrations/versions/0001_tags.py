"""Tags: collections, imports, statements, tags, retractions, actors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tag_collection",
        sa.Column("collection_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_tag_collection")),
        sa.UniqueConstraint("name", name=op.f("uq_tag_collection_name")),
    )
    op.create_table(
        "tag_statement",
        sa.Column("statement_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of its fields"),
        sa.Column("search_key", _TEXT, nullable=False, comment="begin of the label, folded"),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("confidence", _TEXT, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False, comment="number of the confidence"),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("category", _TEXT, nullable=False),
        sa.Column("concepts", _TEXT, nullable=False, comment="JSON"),
        sa.Column("abuse", _TEXT, nullable=False),
        sa.Column("tag_type", _TEXT, nullable=False),
        sa.Column("is_cluster_definer", sa.SmallInteger(), nullable=True),
        sa.Column("context", _TEXT, nullable=False),
        sa.Column("lastmod", _TEXT, nullable=False),
        sa.Column("valid_from", _TEXT, nullable=False),
        sa.Column("valid_to", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("currency", _TEXT, nullable=False),
        sa.Column("network", _TEXT, nullable=False),
        sa.Column("extra", _TEXT, nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_tag_statement")),
        sa.UniqueConstraint("digest", name=op.f("uq_tag_statement_digest")),
    )
    op.create_index(op.f("ix_tag_statement_search_key"), "tag_statement", ["search_key"], unique=False)
    op.create_index(op.f("ix_tag_statement_actor"), "tag_statement", ["actor"], unique=False)
    op.create_index(op.f("ix_tag_statement_category"), "tag_statement", ["category"], unique=False)
    op.create_table(
        "tag_import",
        sa.Column("import_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", _ROW_ID, nullable=False),
        sa.Column("file_name", _TEXT, nullable=False),
        sa.Column("sha256", _TEXT, nullable=False),
        sa.Column("format", _TEXT, nullable=False),
        sa.Column("reader_version", sa.Integer(), nullable=False),
        sa.Column("options", _TEXT, nullable=False, comment="JSON: what the reader was told beside the file"),
        sa.Column(
            "content",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="SHA-256 of the tags and actors that were read",
        ),
        sa.Column("header", _TEXT, nullable=False, comment="JSON"),
        sa.Column("imported_utc", _TEXT, nullable=False, comment="ISO 8601 with Z"),
        sa.Column("imported_by", _TEXT, nullable=False),
        sa.Column("tags", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("skipped", _TEXT, nullable=False, comment="JSON: how many, by reason"),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["tag_collection.collection_id"], name=op.f("fk_tag_import_collection_id")
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_tag_import")),
    )
    op.create_index(op.f("ix_tag_import_collection_id"), "tag_import", ["collection_id"], unique=False)
    op.create_table(
        "actor",
        sa.Column("row_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", _ROW_ID, nullable=False),
        sa.Column("actor", _TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of its fields"),
        sa.Column("fields", _TEXT, nullable=False, comment="JSON: an Actor"),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="place in the newest version that holds it, from 0",
        ),
        sa.Column("first_import", _ROW_ID, nullable=False),
        sa.Column("withdrawn_by", _ROW_ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["tag_collection.collection_id"], name=op.f("fk_actor_collection_id")
        ),
        sa.ForeignKeyConstraint(["first_import"], ["tag_import.import_id"], name=op.f("fk_actor_first_import")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["tag_import.import_id"], name=op.f("fk_actor_withdrawn_by")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_actor")),
    )
    op.create_index(op.f("ix_actor_actor"), "actor", ["actor"], unique=False)
    op.create_index(op.f("ix_actor_collection_id"), "actor", ["collection_id"], unique=False)
    op.create_table(
        "tag",
        sa.Column("tag_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", _ROW_ID, nullable=False),
        sa.Column("statement_id", _ROW_ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="number of the SubjectKind, in its order"),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False, comment="a file may say the same twice: 1, 2, ..."),
        sa.Column(
            "key",
            sa.BigInteger(),
            nullable=False,
            comment="first 8 bytes of script_hash, or of SHA-256 of the subject: narrows a search",
        ),
        sa.Column(
            "script_hash", sa.LargeBinary(length=32), nullable=True, comment="SHA-256 of the scriptPubKey of an address"
        ),
        sa.Column("networks", sa.SmallInteger(), nullable=False, comment="bit n: the address is one of NETWORKS[n]"),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="place in the newest version that holds it, from 0",
        ),
        sa.Column("line", sa.BigInteger(), nullable=False, comment="where it began in the file of its first import"),
        sa.Column("first_import", _ROW_ID, nullable=False),
        sa.Column("withdrawn_by", _ROW_ID, nullable=True),
        sa.ForeignKeyConstraint(["collection_id"], ["tag_collection.collection_id"], name=op.f("fk_tag_collection_id")),
        sa.ForeignKeyConstraint(["first_import"], ["tag_import.import_id"], name=op.f("fk_tag_first_import")),
        sa.ForeignKeyConstraint(["statement_id"], ["tag_statement.statement_id"], name=op.f("fk_tag_statement_id")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["tag_import.import_id"], name=op.f("fk_tag_withdrawn_by")),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_tag")),
    )
    op.create_index("ix_tag_collection_id", "tag", ["collection_id", "key"], unique=False)
    op.create_index("ix_tag_key", "tag", ["key"], unique=False)
    op.create_index(op.f("ix_tag_statement_id"), "tag", ["statement_id"], unique=False)
    op.create_table(
        "tag_retraction",
        sa.Column("retraction_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("collection_id", _ROW_ID, nullable=False),
        sa.Column("statement_id", _ROW_ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False, comment="as in tag"),
        sa.Column("retracted_utc", _TEXT, nullable=False, comment="ISO 8601 with Z"),
        sa.Column("retracted_by", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("lifted_utc", _TEXT, nullable=True, comment="ISO 8601 with Z: when it was taken back"),
        sa.Column("lifted_by", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["tag_collection.collection_id"], name=op.f("fk_tag_retraction_collection_id")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["tag_statement.statement_id"], name=op.f("fk_tag_retraction_statement_id")
        ),
        sa.PrimaryKeyConstraint("retraction_id", name=op.f("pk_tag_retraction")),
    )
    op.create_index(op.f("ix_tag_retraction_key"), "tag_retraction", ["key"], unique=False)
