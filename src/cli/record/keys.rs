//! Keys in the terminal while a recording goes on: LeRobot's, and letters.

use std::io::IsTerminal;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyPress {
    /// → or n: end the episode, or the reset time, now.
    Next,
    /// ← or r: record the episode again.
    Rerecord,
    /// Space or p: pause, go on.
    Pause,
    /// Esc or q: stop; what is in hand is kept.
    Stop,
}

/// The terminal's keys, one by one, until it is dropped.
pub(super) struct Keys {
    raw: bool,
}

impl Keys {
    /// Listens to the terminal, if there is one.
    pub(super) fn listen() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let raw = terminal
            && match enable_raw_mode() {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!("keys can't be read: {error}; Ctrl-C stops the recording");
                    false
                }
            };
        Self { raw }
    }

    /// Whether keys are read.
    pub(super) fn heard(&self) -> bool {
        self.raw
    }

    /// The next key that means something, if one waits.
    pub(super) fn next(&self) -> Option<KeyPress> {
        while self.raw && poll(Duration::ZERO).unwrap_or(false) {
            if let Ok(Event::Key(key)) = read()
                && let Some(press) = meaning(&key)
            {
                return Some(press);
            }
        }
        None
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if self.raw
            && let Err(error) = disable_raw_mode()
        {
            tracing::warn!("the terminal stays in raw mode: {error}; `reset` mends it");
        }
    }
}

/// A raw terminal hands on Ctrl-C as a key.
fn meaning(key: &KeyEvent) -> Option<KeyPress> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(KeyPress::Stop),
        KeyCode::Right | KeyCode::Char('n' | 'N') => Some(KeyPress::Next),
        KeyCode::Left | KeyCode::Char('r' | 'R') => Some(KeyPress::Rerecord),
        KeyCode::Char(' ' | 'p' | 'P') => Some(KeyPress::Pause),
        KeyCode::Esc | KeyCode::Char('q' | 'Q') => Some(KeyPress::Stop),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_lerobot_and_letters() {
        let press = |code| meaning(&KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(press(KeyCode::Right), Some(KeyPress::Next));
        assert_eq!(press(KeyCode::Left), Some(KeyPress::Rerecord));
        assert_eq!(press(KeyCode::Esc), Some(KeyPress::Stop));
        assert_eq!(press(KeyCode::Char('c')), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(meaning(&interrupt), Some(KeyPress::Stop));
    }
}
