//! Types of other engines, by names that no server of this one knows: SQL that was written for another one, or by habit.

use crate::dialect::Dialect;
use crate::schema::change::DataType;

/// MySQL's and SQL Server's, and what PostgreSQL has instead (<https://www.postgresql.org/docs/current/datatype.html>).
const NOT_POSTGRES: [(&str, &str); 21] = [
    ("binary", "bytea"),
    ("blob", "bytea"),
    ("datetime", "timestamptz"),
    ("datetime2", "timestamptz"),
    ("datetimeoffset", "timestamptz"),
    ("double", "double precision"),
    ("enum", "a type made by CREATE TYPE … AS ENUM"),
    ("longblob", "bytea"),
    ("longtext", "text"),
    ("mediumblob", "bytea"),
    ("mediumint", "integer"),
    ("mediumtext", "text"),
    ("ntext", "text"),
    ("nvarchar", "varchar"),
    ("smalldatetime", "timestamptz"),
    ("tinyblob", "bytea"),
    ("tinyint", "smallint"),
    ("tinytext", "text"),
    ("uniqueidentifier", "uuid"),
    ("varbinary", "bytea"),
    ("year", "smallint"),
];

/// PostgreSQL's and SQL Server's, and what MySQL and MariaDB have instead
/// (<https://dev.mysql.com/doc/refman/8.4/en/data-types.html>, <https://mariadb.com/kb/en/data-types/>).
const NOT_MYSQL: [(&str, &str); 20] = [
    ("bigserial", "bigint AUTO_INCREMENT"),
    ("bytea", "blob"),
    ("cidr", "varchar(43)"),
    ("citext", "varchar with a collation that ignores case"),
    ("datetime2", "datetime"),
    ("datetimeoffset", "timestamp"),
    ("hstore", "json"),
    ("inet", "varchar(43)"),
    ("int4range", "two columns"),
    ("interval", "a number of seconds"),
    ("jsonb", "json"),
    ("macaddr", "binary(6)"),
    ("money", "decimal(19, 4)"),
    ("ntext", "longtext"),
    ("smallserial", "smallint AUTO_INCREMENT"),
    ("timestamptz", "timestamp"),
    ("timetz", "time"),
    ("tsrange", "two columns"),
    ("tsvector", "text with a FULLTEXT index"),
    ("uniqueidentifier", "binary(16)"),
];

/// What `dialect` has instead of a type that it surely has not, unless somebody has made one of that name.
pub fn foreign_type(data_type: &DataType, dialect: Dialect) -> Option<&'static str> {
    let all: &[(&str, &str)] = match dialect {
        Dialect::Postgres => &NOT_POSTGRES,
        Dialect::Mysql => &NOT_MYSQL,
        // It takes any word.
        Dialect::Sqlite => return None,
    };
    let name = data_type.schema.is_none().then(|| data_type.name.to_ascii_lowercase())?;
    all.iter().find(|(other, _)| *other == name).map(|(_, instead)| *instead)
}
