//! Whether two revisions of a schema can read each other: what `FULL_TRANSITIVE` asks of every pair.

use apache_avro::{
    Schema,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};

/// Why two schemas cannot stand under one subject.
#[derive(Debug, thiserror::Error)]
pub enum Incompatibility {
    /// One of them is not an Avro schema.
    #[error("could not parse a schema")]
    Unreadable(#[source] Box<apache_avro::Error>),
    /// They describe other records.
    #[error("they describe other records: {0} and {1}")]
    OtherRecord(String, String),
    /// One cannot always read what the other writes.
    #[error("one cannot read what the other writes: {0}")]
    Unresolvable(String),
}

/// Whether data written with either schema can always be read with the other.
pub fn check_mutually_readable(left: &str, right: &str) -> Result<(), Incompatibility> {
    let parse = |json| Schema::parse_str(json).map_err(|error| Incompatibility::Unreadable(Box::new(error)));
    let (left, right) = (parse(left)?, parse(right)?);
    let name = |schema: &Schema| schema.name().map(|name| name.fullname(None)).unwrap_or_default();
    if name(&left) != name(&right) {
        return Err(Incompatibility::OtherRecord(name(&left), name(&right)));
    }
    match SchemaCompatibility::mutual_read(&left, &right) {
        Ok(Compatibility::Full) => Ok(()),
        Ok(Compatibility::Partial) => Err(Incompatibility::Unresolvable("only some of it".to_owned())),
        Err(error) => Err(Incompatibility::Unresolvable(error.to_string())),
    }
}
