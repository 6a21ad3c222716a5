//! Rust's text as far as a rule has to understand it: what is code, what it names, where its tests begin.

/// The code before the tests, which stand at the end of a file.
pub fn without_tests(code: &str) -> &str {
    let tests = code.match_indices("#[cfg(test)]").find(|(at, mark)| {
        let rest = code[at + mark.len()..].trim_start();
        rest.starts_with("mod ") && rest.find('{') < rest.find(';')
    });
    tests.map_or(code, |(at, _)| &code[..at])
}

/// The text with what is inside comments, strings and characters as blanks; its lines stay lines.
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = length_of_quoted(rest, code.ends_with(in_word));
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(
                rest[..hidden]
                    .chars()
                    .map(|letter| if letter == '\n' { '\n' } else { ' ' }),
            );
            rest = &rest[hidden..];
        }
    }
    code
}

/// How many bytes a comment or a literal at the start of the text takes; 0 if there is none.
fn length_of_quoted(text: &str, within_word: bool) -> usize {
    let through = |from: usize, end: &str| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return through(2, "*/");
    }
    if text.starts_with('r') && !within_word {
        let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
        if text[1 + hashes..].starts_with('"') {
            return through(2 + hashes, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |at| at + 2);
    }
    // A character, not a lifetime: one letter or an escape between quotes.
    let mut letters = text.char_indices().skip(1);
    match (text.starts_with('\''), letters.next(), letters.next()) {
        (true, Some((_, '\\')), Some(_)) => through(3, "'"),
        (true, Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The modules that paths from the root of the package begin with, those in braces too.
pub fn named(code: &str) -> impl Iterator<Item = &str> {
    ["crate::", "openrustpoker::"]
        .into_iter()
        .flat_map(move |root| {
            code.match_indices(root).flat_map(move |(at, _)| {
                let rest = &code[at + root.len()..];
                let Some(group) = rest.strip_prefix('{') else {
                    return vec![first_word(rest)];
                };
                let (mut depth, mut start, mut names) = (1, 0, Vec::new());
                for (at, letter) in group.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 1 => {
                            names.push(first_word(&group[start..at]));
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 1 => {
                            names.push(first_word(&group[start..at]));
                            start = at + 1;
                        }
                        _ => {}
                    }
                }
                names
            })
        })
}

pub fn first_word(text: &str) -> &str {
    text.trim_start()
        .split(|letter: char| !in_word(letter))
        .next()
        .unwrap_or_default()
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether the text is there and is not a part of a longer word.
pub fn has_word(code: &str, word: &str) -> bool {
    let starts_in_word = word.starts_with(in_word);
    let ends_in_word = word.ends_with(in_word) && word != "env::var";
    code.match_indices(word).any(|(at, _)| {
        let goes_on_before = starts_in_word && code[..at].ends_with(in_word);
        let goes_on_after = ends_in_word && code[at + word.len()..].starts_with(in_word);
        !goes_on_before && !goes_on_after
    })
}
