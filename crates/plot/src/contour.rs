//! Level lines of a function on a rectangular grid, by marching squares (Lorensen and Cline 1987,
//! in two dimensions): each cell gives segments between points on its sides, which are joined.

use super::scale::{drawable, span};
use std::collections::HashMap;

/// Heights over a grid: `z[row][column]` at `(x[column], y[row])`.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) z: Vec<Vec<f64>>,
}

/// A side of a cell, named by the grid point that it starts from: towards larger `x`, or `y`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Side {
    row: usize,
    column: usize,
    upwards: bool,
}

impl Grid {
    /// Two opposite corners.
    pub(super) fn corners(&self) -> Vec<(f64, f64)> {
        let ends = |list: &[f64]| [list.first().copied(), list.last().copied()];
        let pairs = ends(&self.x).into_iter().zip(ends(&self.y));
        pairs.filter_map(|(x, y)| Some((x?, y?))).collect()
    }

    /// `count` heights that divide the range of the grid evenly, its ends left out.
    pub(super) fn levels(&self, count: usize) -> Vec<f64> {
        let Some((lo, hi)) = span(self.z.iter().flatten().copied()) else { return Vec::new() };
        (1..=count).map(|k| lo + (hi - lo) * k as f64 / (count + 1) as f64).collect()
    }

    /// The lines of one height.
    pub(super) fn lines(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut neighbours: HashMap<Side, Vec<Side>> = HashMap::new();
        let mut order = Vec::new();
        for row in 0..self.y.len().saturating_sub(1) {
            for column in 0..self.x.len().saturating_sub(1) {
                for (a, b) in self.cell(row, column, level) {
                    for (from, to) in [(a, b), (b, a)] {
                        let list = neighbours.entry(from).or_default();
                        if list.is_empty() {
                            order.push(from);
                        }
                        list.push(to);
                    }
                }
            }
        }
        // Lines that leave the grid start at its border; what is left are closed.
        let ends = order.iter().filter(|s| neighbours[*s].len() == 1).copied();
        let starts: Vec<Side> = ends.chain(order.iter().copied()).collect();
        let mut lines = Vec::new();
        for start in starts {
            let mut line = vec![self.point(start, level)];
            let mut at = start;
            while let Some(next) = neighbours.get_mut(&at).and_then(Vec::pop) {
                if let Some(back) = neighbours.get_mut(&next)
                    && let Some(k) = back.iter().position(|s| *s == at)
                {
                    back.swap_remove(k);
                }
                line.push(self.point(next, level));
                at = next;
            }
            if line.len() > 1 {
                lines.push(line);
            }
        }
        lines
    }

    /// The segments in one cell, from side to side.
    fn cell(&self, row: usize, column: usize, level: f64) -> Vec<(Side, Side)> {
        let corners = [
            self.z[row][column],
            self.z[row][column + 1],
            self.z[row + 1][column + 1],
            self.z[row + 1][column],
        ];
        if corners.iter().any(|z| !drawable(*z)) {
            return Vec::new();
        }
        let sides = [
            Side { row, column, upwards: false },
            Side { row, column: column + 1, upwards: true },
            Side { row: row + 1, column, upwards: false },
            Side { row, column, upwards: true },
        ];
        let above = corners.map(|z| z > level);
        let crossed: Vec<Side> =
            (0..4).filter(|&k| above[k] != above[(k + 1) % 4]).map(|k| sides[k]).collect();
        match crossed[..] {
            [a, b] => vec![(a, b)],
            // A saddle: the mean tells which pair of corners is connected.
            [a, b, c, d] => {
                let middle = corners.iter().sum::<f64>() / 4.0 > level;
                if middle == above[0] { vec![(a, b), (c, d)] } else { vec![(d, a), (b, c)] }
            }
            _ => Vec::new(),
        }
    }

    /// Where a side has the height, by linear interpolation.
    fn point(&self, side: Side, level: f64) -> (f64, f64) {
        let Side { row, column, upwards } = side;
        let from = self.z[row][column];
        let to = if upwards { self.z[row + 1][column] } else { self.z[row][column + 1] };
        let t = ((level - from) / (to - from)).clamp(0.0, 1.0);
        let mix = |a: f64, b: f64| a + (b - a) * t;
        if upwards {
            (self.x[column], mix(self.y[row], self.y[row + 1]))
        } else {
            (mix(self.x[column], self.x[column + 1]), self.y[row])
        }
    }
}
