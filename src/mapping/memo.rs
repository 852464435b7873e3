//! What the texts of a closed list mean, remembered: a file says the same few over and over.

use creditbank_domain::Refusal;

/// The most texts remembered.
const TEXTS_MAX: usize = 16;

/// Remembers parsed texts.
#[derive(Clone, Debug)]
pub(super) struct Memo<T>(Vec<(String, T)>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Memo<T> {
    /// What `text` means, asking `parse` where it is not remembered. Refusals are not remembered.
    pub(super) fn of(
        &mut self,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Some((_, value)) = self.0.iter().find(|(known, _)| known == text) {
            return Ok(*value);
        }
        let value = parse(text)?;
        if self.0.len() < TEXTS_MAX {
            self.0.push((text.to_owned(), value));
        }
        Ok(value)
    }
}
