//! What a player may be called. The engine's rule for names holds, and what others read must be what is there.

use engine::{Name, NameError};

/// Why a text is not a display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Empty, too long, or with control characters.
    #[error(transparent)]
    Form(#[from] NameError),
    /// A character that shows nothing, or turns the direction of the text around it: one player could look like another.
    #[error("a name has no invisible characters and none that change the direction of text")]
    Invisible,
}

/// The name in a text; blanks at its ends are taken off.
///
/// # Errors
/// When what is left is not a name.
pub fn parse(text: &str) -> Result<Name, NameProblem> {
    let name = Name::new(text.trim())?;
    if name.as_str().chars().any(invisible) {
        return Err(NameProblem::Invisible);
    }
    Ok(name)
}

/// Unicode's zero-width and direction characters.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_checked() {
        let check = |text: &str, expected: Result<&str, NameProblem>| {
            assert_eq!(
                parse(text).as_ref().map(Name::as_str),
                expected.as_ref().map(|name| *name),
                "{text:?}"
            );
        };
        check("Ada", Ok("Ada"));
        check("  Ada Lovelace \t", Ok("Ada Lovelace"));
        check("Ægir 🂡", Ok("Ægir 🂡"));
        check(&"x".repeat(32), Ok(&"x".repeat(32)));
        check(&"x".repeat(33), Err(NameProblem::Form(NameError)));
        check(&"é".repeat(17), Err(NameProblem::Form(NameError)));
        check("", Err(NameProblem::Form(NameError)));
        check(" \u{a0}\t", Err(NameProblem::Form(NameError)));
        check("a\nb", Err(NameProblem::Form(NameError)));
        check("a\u{7f}", Err(NameProblem::Form(NameError)));
        check("Ada\u{200b}", Err(NameProblem::Invisible));
        check("\u{202e}adA", Err(NameProblem::Invisible));
    }
}
