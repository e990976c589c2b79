//! What models get wrong in JSON, put right: quotes of another kind or within a string, keys without quotes, commas too many or
//! too few, comments, Python's words, line breaks in strings, brackets not closed at the end.
//!
//! Invariant: punctuation is mended, content never made up: a string that is cut, a key without value or a word that is no value
//! is refused. Nothing here calls itself, and JSON comes out as the same JSON.

use std::fmt::Write;

/// Why a text cannot be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// One would have to guess.
    Guess,
    TooDeep,
}

/// What an open bracket waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Key,
    Colon,
    Value,
    Comma,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    is_object: bool,
    is_empty: bool,
    wants: Wants,
}

struct Repair<'a> {
    text: &'a str,
    at: usize,
    out: String,
    frames: Vec<Frame>,
    depth_max: usize,
}

/// The text as JSON, its brackets no deeper than said.
pub(super) fn json(text: &str, depth_max: usize) -> Result<String, Lost> {
    let mut repair =
        Repair { text, at: 0, out: String::with_capacity(text.len() + 16), frames: Vec::new(), depth_max };
    repair.run()?;
    Ok(repair.out)
}

impl Repair<'_> {
    fn run(&mut self) -> Result<(), Lost> {
        while let Some(letter) = self.peek() {
            match letter {
                _ if letter.is_whitespace() => self.at += letter.len_utf8(),
                '/' | '#' => self.comment()?,
                '{' | '[' => self.open(letter)?,
                '}' | ']' => self.close(letter)?,
                ',' => self.comma(),
                ':' => self.colon()?,
                '"' | '\'' | '\u{201c}' => self.string(letter)?,
                _ => self.word()?,
            }
            if self.frames.is_empty() && !self.out.is_empty() {
                return self.nothing_follows();
            }
        }
        while let Some(frame) = self.frames.last() {
            let bracket = if frame.is_object { '}' } else { ']' };
            self.end(bracket)?;
        }
        if self.out.is_empty() { Err(Lost::Guess) } else { Ok(()) }
    }

    /// After the value only closing brackets too many are overlooked.
    fn nothing_follows(&self) -> Result<(), Lost> {
        let is_rest = |letter: char| letter.is_whitespace() || matches!(letter, '}' | ']' | ',' | ';');
        if self.text[self.at..].chars().all(is_rest) { Ok(()) } else { Err(Lost::Guess) }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn comment(&mut self) -> Result<(), Lost> {
        let rest = &self.text[self.at..];
        let length = if rest.starts_with('#') || rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").ok_or(Lost::Guess)? + 2
        } else {
            return Err(Lost::Guess);
        };
        self.at += length;
        Ok(())
    }

    /// Makes room for a value, or for a key where one is wanted; says whether it is a key.
    fn place(&mut self) -> Result<bool, Lost> {
        let Some(frame) = self.frames.last_mut() else { return Ok(false) };
        if frame.wants == Wants::Comma {
            // A comma is missing.
            frame.wants = if frame.is_object { Wants::Key } else { Wants::Value };
        }
        match frame.wants {
            Wants::Colon => return Err(Lost::Guess),
            Wants::Value if frame.is_object => {
                frame.wants = Wants::Comma;
                return Ok(false);
            }
            _ => {}
        }
        if !std::mem::replace(&mut frame.is_empty, false) {
            self.out.push(',');
        }
        frame.wants = if frame.is_object { Wants::Colon } else { Wants::Comma };
        Ok(frame.is_object)
    }

    fn open(&mut self, bracket: char) -> Result<(), Lost> {
        if self.place()? {
            return Err(Lost::Guess);
        }
        if self.frames.len() >= self.depth_max {
            return Err(Lost::TooDeep);
        }
        let is_object = bracket == '{';
        let wants = if is_object { Wants::Key } else { Wants::Value };
        self.frames.push(Frame { is_object, is_empty: true, wants });
        self.out.push(bracket);
        self.at += 1;
        Ok(())
    }

    /// Closes what is open inside as well: a bracket before it was forgotten.
    fn close(&mut self, bracket: char) -> Result<(), Lost> {
        self.at += 1;
        let is_object = bracket == '}';
        if !self.frames.iter().any(|frame| frame.is_object == is_object) {
            return Err(Lost::Guess);
        }
        while let Some(frame) = self.frames.last().copied() {
            self.end(if frame.is_object { '}' } else { ']' })?;
            if frame.is_object == is_object {
                break;
            }
        }
        Ok(())
    }

    fn end(&mut self, bracket: char) -> Result<(), Lost> {
        let frame = self.frames.pop().ok_or(Lost::Guess)?;
        if frame.is_object && matches!(frame.wants, Wants::Colon | Wants::Value) {
            return Err(Lost::Guess);
        }
        self.out.push(bracket);
        Ok(())
    }

    /// Commas are written before what follows them, so that none is left over at an end.
    fn comma(&mut self) {
        self.at += 1;
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.wants == Wants::Comma) {
            frame.wants = if frame.is_object { Wants::Key } else { Wants::Value };
        }
    }

    fn colon(&mut self) -> Result<(), Lost> {
        let frame = self.frames.last_mut().filter(|frame| frame.wants == Wants::Colon).ok_or(Lost::Guess)?;
        frame.wants = Wants::Value;
        self.out.push(':');
        self.at += 1;
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), Lost> {
        let is_key = self.place()?;
        let closing = if quote == '\u{201c}' { '\u{201d}' } else { quote };
        self.at += quote.len_utf8();
        self.out.push('"');
        loop {
            let letter = self.peek().ok_or(Lost::Guess)?;
            self.at += letter.len_utf8();
            match letter {
                '\\' => self.escape()?,
                _ if letter == closing && self.ends_here(is_key) => break,
                _ => self.put(letter),
            }
        }
        self.out.push('"');
        Ok(())
    }

    /// A letter of a string.
    fn put(&mut self, letter: char) {
        match letter {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            '\n' => self.out.push_str("\\n"),
            _ if letter < ' ' => {
                // Writing to a string does not fail.
                write!(self.out, "\\u{:04x}", u32::from(letter)).unwrap_or_default();
            }
            _ => self.out.push(letter),
        }
    }

    /// What follows a backslash; one before a letter that it does nothing to stands for itself.
    fn escape(&mut self) -> Result<(), Lost> {
        let letter = self.peek().ok_or(Lost::Guess)?;
        let is_code = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match letter {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
                self.out.extend(['\\', letter]);
                self.at += 1;
            }
            'u' if self.text.get(self.at + 1..self.at + 5).is_some_and(is_code) => {
                self.out.push('\\');
            }
            '\'' => {}
            _ => self.out.push_str("\\\\"),
        }
        if letter == '\'' {
            self.out.push('\'');
            self.at += 1;
        }
        Ok(())
    }

    /// Whether a quote that was just passed ends its string, or is a quote within it: what follows shows.
    fn ends_here(&self, is_key: bool) -> bool {
        let rest = self.text[self.at..].trim_start();
        let in_object = self.frames.last().is_some_and(|frame| frame.is_object);
        match rest.chars().next() {
            None | Some('}' | ']') => true,
            Some(':') => is_key,
            Some(',') if in_object => !is_key && begins_key(&rest[1..]),
            Some(',') => !is_key,
            // The comma is missing, and a line's end stands for it.
            Some('"' | '\'') => {
                !is_key && self.text[self.at..].trim_start_matches([' ', '\t', '\r']).starts_with('\n')
            }
            Some('/') => rest.starts_with("//"),
            _ => false,
        }
    }

    /// A number, a constant, or a key without quotes.
    fn word(&mut self) -> Result<(), Lost> {
        let rest = &self.text[self.at..];
        let ends = |letter: char| letter.is_whitespace() || ",:{}[]\"'/#".contains(letter);
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let is_key = self.place()?;
        let is_name = |word: &str| word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        match word {
            _ if is_key && is_name(word) => {
                self.out.extend(['"', '"']);
                self.out.insert_str(self.out.len() - 1, word);
            }
            _ if is_key => return Err(Lost::Guess),
            "true" | "True" => self.out.push_str("true"),
            "false" | "False" => self.out.push_str("false"),
            "null" | "None" => self.out.push_str("null"),
            _ if serde_json::from_str::<serde_json::Number>(word).is_ok() => self.out.push_str(word),
            _ => return Err(Lost::Guess),
        }
        self.at += word.len();
        Ok(())
    }
}

/// Whether what follows a comma in an object is a key, or its end.
fn begins_key(text: &str) -> bool {
    let text = text.trim_start();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    match text.chars().next() {
        None | Some('"' | '\'' | '\u{201c}' | '}' | ']' | '/' | '#' | ',') => true,
        _ => {
            let after = text.trim_start_matches(is_part);
            after.len() < text.len() && after.trim_start().starts_with(':')
        }
    }
}

#[cfg(test)]
mod tests;
