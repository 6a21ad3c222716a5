//! Lines on the screen, in colours where there are any.

use std::io::Write;

use super::game::{Kind, Line};

/// The screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    colours: bool,
}

impl Paint {
    /// With or without colours.
    pub(super) fn new(colours: bool) -> Paint {
        Paint { colours }
    }

    pub(super) fn lines(&self, lines: &[Line]) -> anyhow::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    pub(super) fn line(&self, line: &Line) -> anyhow::Result<()> {
        writeln!(std::io::stdout(), "{}", self.painted(line))?;
        Ok(())
    }

    /// What the others typed as their names is on the screen too: no control character of it gets there.
    pub(super) fn painted(&self, line: &Line) -> String {
        let text: String = line.text.chars().filter(|c| !c.is_control()).collect();
        if !self.colours {
            return text;
        }
        let code = match line.kind {
            Kind::Event => return text,
            Kind::Table => "36",
            Kind::Prompt => "1;32",
            Kind::Trouble => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
