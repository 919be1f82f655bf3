//! The place of the legend: where it covers least of what is drawn.

use super::scale::Axis;
use super::series::{Kind, Series, runs};
use kuva::render::layout::{ComputedLayout, Layout};

/// Segments in axis units, and whether they belong to a reference line.
pub(super) type Shapes = Vec<(bool, [(f64, f64); 2])>;

pub(super) fn shapes(all: &[Series], x: &Axis, y: &Axis) -> Shapes {
    let mut shapes = Vec::new();
    for series in all {
        for run in runs(series, x, y) {
            match series.kind {
                Kind::Scatter => shapes.extend(run.iter().map(|&p| (false, [p, p]))),
                kind => {
                    let single = (run.len() == 1).then(|| [run[0], run[0]]);
                    let segments = run.windows(2).map(|w| [w[0], w[1]]).chain(single);
                    shapes.extend(segments.map(|s| (kind.is_reference(), s)));
                    if kind == Kind::Band {
                        let (low, high) = run.split_at(run.len() / 2);
                        let across = low.iter().zip(high.iter().rev());
                        shapes.extend(across.map(|(&a, &b)| (false, [a, b])));
                    }
                    if kind == Kind::Histogram {
                        shapes.extend(run.iter().map(|&p| (false, [p, (p.0, 0.0)])));
                    }
                }
            }
        }
    }
    shapes
}

pub(super) struct Place {
    /// Where the renderer puts the legend.
    pub(super) at: (f64, f64),
    pub(super) height: f64,
    /// Whether it covers a series.
    pub(super) covers: bool,
}

/// The place inside the axes where the legend covers least.
pub(super) fn place_legend(layout: &Layout, shapes: &Shapes, rows: usize) -> Place {
    let area = ComputedLayout::from_layout(layout);
    // How the renderer draws the box: the text begins `padding` below its top, the swatches
    // 5 to the right of its left edge.
    let (padding, swatch, inset, air) = (10.0, 12.0, 8.0, 6.0);
    let pitch = area.legend_line_height;
    let (width, height) =
        (area.legend_width, rows as f64 * pitch + 2.0 * padding - (pitch - swatch));
    let (left, right) = (area.margin_left + inset, area.width - area.margin_right - inset - width);
    let top = area.margin_top + inset;
    let bottom = area.height - area.margin_bottom - inset - height;
    let middle = (left + right) / 2.0;
    let candidates = [
        (right, top),
        (left, top),
        (right, bottom),
        (left, bottom),
        (middle, top),
        (middle, bottom),
    ];
    let pixels: Vec<(bool, [(f64, f64); 2])> = shapes
        .iter()
        .map(|&(reference, s)| (reference, s.map(|(x, y)| (area.map_x(x), area.map_y(y)))))
        .collect();
    let covered = |&(x, y): &(f64, f64)| {
        let lo = (x - air, y - air);
        let hi = (x + width + air, y + height + air);
        let count = |kind: bool| {
            pixels.iter().filter(|&&(is, [a, b])| is == kind && crosses(a, b, lo, hi)).count()
        };
        (count(false), count(true))
    };
    let mut best = (candidates[0], covered(&candidates[0]));
    for candidate in &candidates[1..] {
        let cost = covered(candidate);
        if cost < best.1 {
            best = (*candidate, cost);
        }
    }
    let ((x, y), (series, _)) = best;
    Place { at: (x.max(left) + padding - 5.0, y + padding), height, covers: series > 0 }
}

/// Whether a segment meets a rectangle (clipping of Liang and Barsky).
fn crosses(a: (f64, f64), b: (f64, f64), lo: (f64, f64), hi: (f64, f64)) -> bool {
    let (mut from, mut to) = (0.0f64, 1.0f64);
    for (start, end, low, high) in [(a.0, b.0, lo.0, hi.0), (a.1, b.1, lo.1, hi.1)] {
        let delta = end - start;
        if delta == 0.0 {
            if start < low || start > high {
                return false;
            }
            continue;
        }
        let (t, u) = ((low - start) / delta, (high - start) / delta);
        from = from.max(t.min(u));
        to = to.min(t.max(u));
    }
    from <= to
}
