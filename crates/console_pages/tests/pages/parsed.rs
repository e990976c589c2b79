//! A page as a browser reads it: its elements with their attributes, and its text.

use html5gum::{Token, Tokenizer};
use std::collections::BTreeMap;

const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// Elements in order.
    pub(crate) elements: Vec<Element>,
    /// Text and the element that it stands in.
    pub(crate) texts: Vec<(String, String)>,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

impl Parsed {
    /// Reads a page; fails where a browser would have to guess: errors of the tokenizer, elements that are not closed.
    pub(crate) fn of(html: &str) -> Result<Self, String> {
        let mut page = Self::default();
        let mut open: Vec<String> = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for token in Tokenizer::new(html) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    let name = text(&tag.name);
                    let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value)));
                    page.elements.push(Element { name: name.clone(), attributes: attributes.collect() });
                    if !tag.self_closing && !VOID.contains(&name.as_str()) {
                        open.push(name);
                    }
                }
                Token::EndTag(tag) => {
                    let name = text(&tag.name);
                    let last = open.pop();
                    if last.as_deref() != Some(&name) {
                        return Err(format!("</{name}> closes {last:?}"));
                    }
                }
                Token::String(string) => {
                    let within = open.last().cloned().unwrap_or_default();
                    page.texts.push((within, text(&string)));
                }
                Token::Error(error) => return Err(format!("{error:?}")),
                Token::Comment(_) | Token::Doctype(_) => {}
            }
        }
        if open.is_empty() { Ok(page) } else { Err(format!("{open:?} are not closed")) }
    }

    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |it| it.name == name)
    }

    /// What is the template's own: elements and names of attributes, in order.
    pub(crate) fn skeleton(&self) -> Vec<(&str, Vec<&str>)> {
        self.elements
            .iter()
            .map(|it| (it.name.as_str(), it.attributes.keys().map(String::as_str).collect()))
            .collect()
    }
}
