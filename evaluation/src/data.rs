//! Reads files of the data folder; every failure names the path.

use crate::Error;
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
use std::{
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Read { path, source }
}

/// Files of a folder, by name.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(failed(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// A file as text; bytes that are not UTF-8 become the replacement character.
pub(crate) fn text(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(failed(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A JSON file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    parse(path, &text(path)?)
}

/// A file with a JSON value in each line.
pub(crate) fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    text(path)?.lines().filter(|line| !line.trim().is_empty()).map(|line| parse(path, line)).collect()
}

/// A gzipped JSON file.
pub(crate) fn json_gz<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let file = File::open(path).map_err(failed(path))?;
    serde_json::from_reader(BufReader::new(GzDecoder::new(file)))
        .map_err(|source| Error::Parse { path: path.to_owned(), source })
}

fn parse<T: DeserializeOwned>(path: &Path, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|source| Error::Parse { path: path.to_owned(), source })
}
