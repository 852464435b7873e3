//! A table of two dimensions as a grid, in which corners are found that cover a small cell.

use super::suppress::SMALL;

/// A cell of a grid.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Square {
    /// Learners who are to be protected.
    pub(super) learners: i64,
    /// Whether they are few, or one of them has most of what is counted.
    pub(super) is_small: bool,
    /// Whether one more or less can be here.
    pub(super) can_move: bool,
    /// Whether it is not published anyhow.
    pub(super) is_gone: bool,
}

/// All cells of a table, row by row.
pub(super) struct Grid {
    squares: Vec<Square>,
    columns: usize,
    hidden: Vec<bool>,
}

impl Grid {
    /// `squares` is as long as rows by columns.
    pub(super) fn new(squares: Vec<Square>, columns: usize) -> Self {
        let hidden = squares.iter().map(|it| it.is_gone).collect();
        Self {
            squares,
            columns,
            hidden,
        }
    }

    /// Places of small cells with corners that cover them; none where one has no such corners.
    pub(super) fn covered(mut self) -> Option<Vec<usize>> {
        let mut covered = Vec::new();
        for at in 0..self.squares.len() {
            let square = self.squares[at];
            if square.is_small && !square.is_gone {
                let corners = self.rectangle(at)?;
                corners.iter().for_each(|at| self.hidden[*at] = true);
                covered.extend(corners);
            }
        }
        Some(covered)
    }

    /// The four corners that cover a cell: those that let it grow most, of these the fewest that were published.
    fn rectangle(&self, at: usize) -> Option<[usize; 4]> {
        let (row, column, own) = (at / self.columns, at % self.columns, self.squares[at]);
        let rows = self.squares.len() / self.columns;
        let mut best: Option<((i64, usize, i64), [usize; 4])> = None;
        for other_row in (0..rows).filter(|it| *it != row) {
            for other_column in (0..self.columns).filter(|it| *it != column) {
                let beside = row * self.columns + other_column;
                let below = other_row * self.columns + column;
                let opposite = other_row * self.columns + other_column;
                let room = self.squares[beside]
                    .learners
                    .min(self.squares[below].learners);
                let grows = room.min((SMALL - own.learners).max(1));
                let corners = [at, beside, below, opposite];
                if grows < 1 || !corners.iter().all(|at| self.squares[*at].can_move) {
                    continue;
                }
                let published = corners.iter().filter(|at| !self.hidden[**at]);
                let cost = published.clone().map(|at| self.squares[*at].learners).sum();
                let rank = (-grows, published.count(), cost);
                if best.is_none_or(|(known, _)| rank < known) {
                    best = Some((rank, corners));
                }
            }
        }
        best.map(|(_, corners)| corners)
    }
}
