//! What the tests read: examples of each type, revisions of each schema, and a registry made of them.

use schemas::{Encoder, Record, SchemaSource, SchemaSourceError};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Calls a function that is generic over a record type for each that there is.
macro_rules! each_record {
    ($check:ident) => {{
        let names = [
            each_record!($check, GroupMessageIngested),
            each_record!($check, GroupWindowReady),
            each_record!($check, DigestGenerateRequested),
            each_record!($check, DigestContextPrepared),
            each_record!($check, DigestStageStarted),
            each_record!($check, DigestStageCompleted),
            each_record!($check, DigestReadyForDelivery),
            each_record!($check, DigestBlocked),
            each_record!($check, DigestPersisted),
            each_record!($check, DigestDelivered),
            each_record!($check, DigestDlq),
            each_record!($check, GroupCommandAnswered),
        ];
        assert_eq!(names, schemas::RECORD_TYPES.map(|record| record.name), "every type is checked");
    }};
    ($check:ident, $type:ident) => {{
        $check::<schemas::$type>();
        <schemas::$type as schemas::Record>::TYPE
    }};
}
pub(crate) use each_record;

/// An example of a record type, as written down and as read.
pub(crate) struct Example<R> {
    pub(crate) name: String,
    pub(crate) json: serde_json::Value,
    pub(crate) value: R,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files of a folder with an extension, by name.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

/// Examples of a record type, by name.
pub(crate) fn examples<R: Record>() -> Vec<Example<R>> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("readable");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Example { name: stem(&path), json: serde_json::from_str(&text).expect("json"), value }
    };
    files(&root().join("examples").join(R::TYPE), "json").into_iter().map(read).collect()
}

/// Every revision of a record type's schema, name first: today's, those before it, and one that a later program might
/// declare.
pub(crate) fn revisions(record_type: &str) -> Vec<(String, String)> {
    let folders = [root().join("avro"), root().join("avro/fixtures"), root().join("avro/fixtures/later")];
    let paths = folders.iter().flat_map(|folder| files(folder, "avsc"));
    let own = paths.filter(|path| {
        let name = stem(path);
        name.strip_prefix(record_type).is_some_and(|rest| rest.is_empty() || rest.starts_with(".r"))
    });
    own.map(|path| (stem(&path), fs::read_to_string(&path).expect("readable"))).collect()
}

/// Schemas of a type's released revisions, from the first, today's last.
pub(crate) fn released(record_type: &str, today: &str) -> Vec<String> {
    let kept = |revision: usize| {
        fs::read_to_string(root().join(format!("avro/fixtures/{record_type}.r{revision}.avsc"))).ok()
    };
    (1..).map_while(kept).chain([today.to_owned()]).collect()
}

/// A registry that holds what it is given.
#[derive(Default)]
pub(crate) struct Registry(BTreeMap<u32, Arc<str>>);

impl Registry {
    pub(crate) fn with(schemas: &[(u32, &str)]) -> Arc<dyn SchemaSource> {
        Arc::new(Self(schemas.iter().map(|(id, avsc)| (*id, (*avsc).into())).collect()))
    }
}

impl SchemaSource for Registry {
    fn schema_by_id(&self, id: u32) -> Result<Arc<str>, SchemaSourceError> {
        self.0.get(&id).cloned().ok_or(SchemaSourceError::NotFound(id))
    }
}

pub(crate) fn encoded<R: Record>(id: u32, value: &R) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(id).expect("the schema is fine").encode(value, &mut bytes).expect("fits its schema");
    bytes
}
