//! The printed transcript: a tagged PDF in Chinese and English.
