//! Lines from standard input, without holding up anything else.

use std::io::{BufRead, IsTerminal};

use tokio::sync::mpsc;

/// Lines, read by a thread of their own: a read that never ends must not keep the program from ending.
pub(super) struct Lines {
    lines: mpsc::Receiver<String>,
    terminal: bool,
}

impl Lines {
    /// Begins to read. The end of the input, and an input that cannot be read, end the lines.
    pub(super) fn stdin() -> Lines {
        let (read, lines) = mpsc::channel(AHEAD);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if read.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Lines {
            lines,
            terminal: std::io::stdin().is_terminal(),
        }
    }

    /// The next line. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Whether somebody types.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }
}

/// Lines read ahead; a pipe waits.
const AHEAD: usize = 16;
