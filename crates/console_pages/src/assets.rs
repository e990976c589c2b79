//! Files that pages refer to, under names that change with their content: a browser may keep them for ever.

use crate::routes;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// Bytes of the hash in a name.
const HASH_BYTES: usize = 8;

pub(crate) const STYLE: usize = 0;
pub(crate) const SCRIPT: usize = 1;
pub(crate) const ICON: usize = 2;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its name with the hash of its content, as [`routes::ASSET`] has it.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset("console", "css", "text/css; charset=utf-8", include_bytes!("../assets/console.css")),
        asset("console", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/console.js")),
        asset("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
    ]
});

fn asset(stem: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let mut head = [0; HASH_BYTES];
    head.copy_from_slice(&Sha256::digest(bytes)[..HASH_BYTES]);
    let hash = format!("{:016x}", u64::from_be_bytes(head));
    let name = format!("{stem}-{hash}.{extension}");
    let path = routes::ASSET.replace("{name}", &name);
    Asset { name, path, content_type, bytes }
}

impl Asset {
    /// What an answer with a file says to caches.
    pub const CACHE_CONTROL: &'static str = "public, max-age=31536000, immutable";

    /// All files.
    pub fn all() -> &'static [Self] {
        &*ASSETS
    }

    /// The file of this name; none for one of another version.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|asset| asset.name == name)
    }

    pub(crate) fn path_of(at: usize) -> &'static str {
        &ASSETS[at].path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_whole_name_only() {
        for asset in Asset::all() {
            assert_eq!(Asset::find(&asset.name), Some(asset));
            assert_eq!(asset.path, format!("/console/assets/{}", asset.name));
            assert!(!asset.bytes.is_empty());
        }
        assert_eq!(Asset::find("console.css"), None);
        assert_eq!(Asset::find("../Cargo.toml"), None);
    }
}
