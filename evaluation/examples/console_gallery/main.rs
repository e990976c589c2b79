//! Writes every page, in every language, to a folder: digests of the samples, made by the real stages, and an operator's
//! views of the real map.
//!
//! `cargo run -p evaluation --example console_gallery -- FOLDER`
#![expect(clippy::expect_used, reason = "an example may fail")]

mod operator;
mod reader;
mod sample;

use console_pages::{Frame, Page, assets::Asset, locale::Language};
use sample::Sample;
use std::{fs, path::Path};

/// A page and the name of its file.
pub(crate) type Named = (&'static str, Box<dyn Page>);

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let folder = Path::new(&folder);
    let assets = folder.join("console/assets");
    fs::create_dir_all(&assets).expect("a folder that can be made");
    for asset in Asset::all() {
        fs::write(assets.join(&asset.name), asset.bytes).expect("a file that can be written");
    }
    for (language, name, group) in [
        (Language::English, "engineering_en", "engineering"),
        (Language::Russian, "garden_ru", "сад-на-берёзовой"),
    ] {
        let sample = Sample::read(name, group);
        let folder = folder.join(language.code());
        fs::create_dir_all(&folder).expect("a folder that can be made");
        for (page, view) in reader::pages(&sample).into_iter().chain(operator::pages(&sample)) {
            let html = view.html(&frame(language, &sample, page)).expect("a page");
            fs::write(folder.join(format!("{page}.html")), html).expect("a file that can be written");
        }
    }
}

fn frame(language: Language, sample: &Sample, page: &str) -> Frame {
    let tenant = (page != "login").then(|| "acme".to_owned());
    Frame {
        language,
        now_ms: sample.now_ms,
        time_zone: "UTC".to_owned(),
        tenant,
        reader: "gm_7c1e".to_owned(),
        may_operate: true,
        may_administer: true,
        groups: vec![sample.group.clone(), "board".to_owned(), "on-call".to_owned()],
        path: "/console".to_owned(),
        query: if page == "search" { sample.query.to_owned() } else { String::new() },
        form_token: "b6f1".to_owned(),
        ..Frame::default()
    }
}
