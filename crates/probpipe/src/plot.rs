//! Figures of arrays: lines, points and histograms, as SVG or PNG, with no system libraries.
//!
//! ```no_run
//! use probpipe::linspace;
//! use probpipe::plot::{Figure, Plot};
//!
//! let xs = linspace(0.0, 4.0, 200);
//! let scores = (2.0 - &xs) * 4.0;
//! Figure::row([
//!     Plot::new("Curve").line(&xs, &(&xs * &xs)).x_label("x").y_label("x²"),
//!     Plot::new("Score function").line(&xs, &scores).label("score").vline(2.0).label("mean"),
//! ])
//! .save("figures/score.png")?;
//! # Ok::<(), probpipe::Error>(())
//! ```
//!
//! What does not fit (arrays of different lengths, a traced array, an invalid one) is remembered
//! and comes out at `save`, located at the call that was given it. Points that are not finite
//! are skipped; a line is interrupted there.

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::{LinePlot, LineStyle, MarkerShape, ScatterPlot};
use kuva::render::layout::{ComputedLayout, Layout, TickFormat};
use kuva::render::plots::Plot as Marks;
use kuva::render::render::{Primitive, Scene};
use kuva::render::theme::Theme;
use probpipe_trace::{Array, Error, ErrorKind, Loc, Result};
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

/// Size of one panel, in the units of an SVG.
const PANEL: (f64, f64) = (500.0, 350.0);
/// Pixels of a PNG per unit: figures stay sharp on dense displays.
const PIXELS: f32 = 2.0;
/// Colours of the series, in order.
const COLORS: [&str; 8] =
    ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf"];
/// Lengths of the dashes and gaps of a dashed line.
const DASHES: &str = "7 4";
/// Colour of the reference lines.
const REFERENCE: &str = "#7f7f7f";
/// Dashes and gaps of the reference lines, in order.
const REFERENCE_DASHES: [&str; 3] = ["6 4", "2 3", "8 3 2 3"];
/// About how many steps an axis has.
const TICKS: f64 = 5.5;
/// Most bins of a histogram.
const MOST_BINS: usize = 10_000;
/// Numbers beyond this have no room for a margin around them; they count as not finite.
const LARGEST: f64 = 1e300;

/// One panel: a title, series, and reference lines.
#[derive(Clone, Debug)]
pub struct Plot {
    title: String,
    x_label: Option<String>,
    y_label: Option<String>,
    series: Vec<Series>,
    /// The first thing that went wrong.
    error: Option<Error>,
}

#[derive(Clone, Debug)]
struct Series {
    kind: Kind,
    /// The points, not finite ones included.
    points: Vec<(f64, f64)>,
    label: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Line,
    Dashed,
    Scatter,
    /// The outline of the bars, from the left end of the base to the right one.
    Histogram,
    /// At the height of its one point.
    Horizontal,
    /// At the abscissa of its one point.
    Vertical,
}

impl Kind {
    fn is_reference(self) -> bool {
        matches!(self, Kind::Horizontal | Kind::Vertical)
    }
}

impl Plot {
    /// An empty plot.
    pub fn new(title: impl Into<String>) -> Plot {
        Plot {
            title: printable(title.into()),
            x_label: None,
            y_label: None,
            series: Vec::new(),
            error: None,
        }
    }

    /// A line through the points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn line(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Line, pairs("line", xs, ys))
    }

    /// A dashed line through the points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn dashed(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Dashed, pairs("dashed", xs, ys))
    }

    /// The points `(xs[i], ys[i])`.
    #[track_caller]
    pub fn scatter(self, xs: &Array, ys: &Array) -> Plot {
        self.add(Kind::Scatter, pairs("scatter", xs, ys))
    }

    /// A histogram of `xs`, scaled to area 1 so that it compares with a density.
    #[track_caller]
    pub fn histogram(self, xs: &Array, bins: usize) -> Plot {
        let at = Location::caller();
        let outline = elements("histogram", xs).and_then(|data| {
            if (1..=MOST_BINS).contains(&bins) {
                return Ok(outline(&data, bins));
            }
            Err(Error::new(ErrorKind::Value, format!("a histogram cannot have {bins} bins"))
                .at(at)
                .help(format!("give a number of bins from 1 to {MOST_BINS}")))
        });
        self.add(Kind::Histogram, outline)
    }

    /// A dashed horizontal line across the plot.
    #[track_caller]
    pub fn hline(self, y: impl Into<f64>) -> Plot {
        self.add(Kind::Horizontal, Ok(vec![(f64::NAN, y.into())]))
    }

    /// A dashed vertical line across the plot.
    #[track_caller]
    pub fn vline(self, x: impl Into<f64>) -> Plot {
        self.add(Kind::Vertical, Ok(vec![(x.into(), f64::NAN)]))
    }

    /// Names the series added last, which puts it in the legend.
    #[track_caller]
    pub fn label(mut self, label: impl Into<String>) -> Plot {
        match self.series.last_mut() {
            Some(series) => series.label = Some(printable(label.into())),
            None => {
                let error = Error::new(ErrorKind::Value, "there is no series yet to label")
                    .at(Location::caller())
                    .help("call `label` after `line`, `scatter` or another series");
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Names the horizontal axis.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = Some(printable(label.into()));
        self
    }

    /// Names the vertical axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = Some(printable(label.into()));
        self
    }

    /// Writes the plot to a file, `.svg` or `.png` by its extension, as [`Figure::save`] does.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(std::slice::from_ref(self), path.as_ref())
    }

    fn add(mut self, kind: Kind, points: Result<Vec<(f64, f64)>>) -> Plot {
        let points = points.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            Vec::new()
        });
        self.series.push(Series { kind, points, label: None });
        self
    }
}

/// Several plots side by side.
#[derive(Clone, Debug)]
pub struct Figure {
    plots: Vec<Plot>,
}

impl Figure {
    /// The plots in one row, from left to right.
    pub fn row(plots: impl IntoIterator<Item = Plot>) -> Figure {
        Figure { plots: plots.into_iter().collect() }
    }

    /// Writes the figure to a file, `.svg` or `.png` by its extension; creates missing folders
    /// on the way. A panel measures 500 by 350 units; a PNG has two pixels per unit.
    ///
    /// Reports the first thing that went wrong while the plots were made.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(&self.plots, path.as_ref())
    }
}

// --- From arrays to points ---

/// The elements of an array of rank 1.
#[track_caller]
fn elements(call: &str, array: &Array) -> Result<Vec<f64>> {
    let at = Location::caller();
    let note = |error: Error| error.at(at).note(format!("`{call}` read it"), Some(at));
    let scalars = array.value().and_then(|value| value.to_scalars()).map_err(note)?;
    if array.rank() != 1 {
        let shape = array.shape();
        return Err(Error::new(
            ErrorKind::Shape,
            format!("`{call}` takes arrays of rank 1, not one of shape {shape:?}"),
        )
        .at(at)
        .note("the array was made", Some(array.location()))
        .help("plot a row or a column of it, or reshape it to one axis"));
    }
    Ok(scalars.into_iter().map(|scalar| scalar.as_f64()).collect())
}

#[track_caller]
fn pairs(call: &str, xs: &Array, ys: &Array) -> Result<Vec<(f64, f64)>> {
    let (x, y) = (elements(call, xs)?, elements(call, ys)?);
    if x.len() != y.len() {
        return Err(Error::new(
            ErrorKind::Shape,
            format!(
                "`{call}` takes two arrays of one length, not of lengths {} and {}",
                x.len(),
                y.len()
            ),
        )
        .at(Location::caller())
        .note("the first was made", Some(xs.location()))
        .note("the second was made", Some(ys.location()))
        .help("give one `y` for every `x`"));
    }
    Ok(x.into_iter().zip(y).collect())
}

fn drawable(v: f64) -> bool {
    v.abs() <= LARGEST
}

/// The outline of a histogram of area 1.
fn outline(data: &[f64], bins: usize) -> Vec<(f64, f64)> {
    let kept: Vec<f64> = data.iter().copied().filter(|&v| drawable(v)).collect();
    let Some((lo, hi)) = span(kept.iter().copied()) else { return Vec::new() };
    let (lo, hi) = widened(lo, hi);
    let width = (hi - lo) / bins as f64;
    let mut counts = vec![0usize; bins];
    for v in &kept {
        // The cast saturates; the largest value belongs to the last bin.
        counts[(((v - lo) / width) as usize).min(bins - 1)] += 1;
    }
    let edge = |i: usize| lo + width * i as f64;
    let mut points = vec![(lo, 0.0)];
    for (i, &count) in counts.iter().enumerate() {
        let density = count as f64 / (kept.len() as f64 * width);
        points.extend([(edge(i), density), (edge(i + 1), density)]);
    }
    points.push((edge(bins), 0.0));
    points
}

/// The least and the greatest of drawable numbers.
fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|&v| drawable(v)).fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((lo, hi)) => Some((f64::min(lo, v), f64::max(hi, v))),
    })
}

/// A range wide enough to be divided by: a point or next to it becomes an interval around it.
fn widened(lo: f64, hi: f64) -> (f64, f64) {
    let size = lo.abs().max(hi.abs());
    if hi - lo > size * 1e-9 && hi - lo > 1e-300 {
        return (lo, hi);
    }
    let half = if size < 1e-290 { 1.0 } else { size * 0.1 };
    (lo - half, hi + half)
}

/// Text without the control characters that an SVG cannot hold.
fn printable(text: String) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

// --- Axes ---

/// The range, ticks and unit of an axis. The renderer sees numbers in the unit, a power of ten
/// near the largest of them, because it takes small absolute spans for empty ones.
#[derive(Clone, Copy)]
struct Axis {
    lo: f64,
    hi: f64,
    step: f64,
    exponent: i32,
}

impl Axis {
    /// An axis with room around `range`; without a range, from 0 to 1. With `base`, it begins
    /// exactly at a lower end of 0.
    fn around(range: Option<(f64, f64)>, base: bool) -> Axis {
        let (lo, hi) = range.map_or((0.0, 1.0), |(lo, hi)| widened(lo, hi));
        let size = lo.abs().max(hi.abs());
        let exponent = size.log10().floor() as i32;
        let unit = 10f64.powi(exponent);
        let (lo, hi) = (lo / unit, hi / unit);
        let room = (hi - lo) * 0.05;
        let lo = if base && lo == 0.0 { 0.0 } else { lo - room };
        Axis { lo, hi: hi + room, step: 0.0, exponent }.with_ticks()
    }

    fn with_ticks(mut self) -> Axis {
        let raw = (self.hi - self.lo) / TICKS;
        let magnitude = 10f64.powf(raw.log10().floor());
        let factor = match raw / magnitude {
            r if r < 1.5 => 1.0,
            r if r < 3.5 => 2.0,
            r if r < 7.5 => 5.0,
            _ => 10.0,
        };
        self.step = factor * magnitude;
        self
    }

    fn map(&self, v: f64) -> f64 {
        v / 10f64.powi(self.exponent)
    }

    /// The label of a tick: as many decimals as the step needs, scientific where the numbers
    /// are large or small.
    fn format(&self, v: f64) -> String {
        let v = if v.abs() < self.step * 1e-6 { 0.0 } else { v };
        let places = -(self.step.log10() + 1e-9).floor() as i32;
        if (-3..=4).contains(&self.exponent) {
            let places = (places - self.exponent).max(0) as usize;
            return format!("{:.places$}", v * 10f64.powi(self.exponent));
        }
        if v == 0.0 {
            return "0".into();
        }
        let places = places.max(0) as usize;
        format!("{v:.places$}e{}", self.exponent)
    }
}

// --- One panel ---

/// What the renderer draws for one panel.
struct Panel {
    marks: Vec<Marks>,
    layout: Layout,
}

fn panel(plot: &Plot, top: f64) -> Panel {
    let points = || plot.series.iter().flat_map(|s| &s.points);
    // A line needs both coordinates, a reference line has but one.
    let whole = |&&(x, y): &&(f64, f64)| x.is_nan() || y.is_nan() || drawable(x) && drawable(y);
    let x = Axis::around(span(points().filter(whole).map(|p| p.0)), false);
    let histogram = plot.series.iter().any(|s| s.kind == Kind::Histogram);
    let mut y = Axis::around(span(points().filter(whole).map(|p| p.1)), histogram);

    let entries = legend(plot);
    let mut layout = layout(plot, top, &x, &y, &entries);
    if !entries.is_empty() {
        let shapes = shapes(plot, &x, &y);
        let mut place = place_legend(&layout, &shapes, entries.len());
        if place.covers {
            // No corner is free: make room at the top.
            let area = ComputedLayout::from_layout(&layout);
            let (room, height) = (place.height + 16.0, area.plot_height());
            y.hi += (y.hi - y.lo) * room / (height - room).max(height * 0.3);
            y = y.with_ticks();
            layout = self::layout(plot, top, &x, &y, &entries);
            place = place_legend(&layout, &shapes, entries.len());
        }
        layout = layout.with_legend_position(LegendPosition::Custom(place.at.0, place.at.1));
    }
    Panel { marks: marks(plot, &x, &y), layout }
}

/// The frame of a panel: its size, title, fonts and colours.
fn frame(title: &str) -> Layout {
    Layout::new((0.0, 1.0), (0.0, 1.0))
        .with_width(PANEL.0)
        .with_height(PANEL.1)
        .with_box_axes()
        .with_title(title)
        .with_title_wrap(54)
        .with_title_size(14)
        .with_label_size(12)
        .with_tick_size(11)
        .with_body_size(11)
        .with_tick_length(4.0)
        .with_theme(Theme {
            axis_color: "#666666".into(),
            tick_color: "#666666".into(),
            grid_color: "#e8e8e8".into(),
            text_color: "#222222".into(),
            legend_border: "#cccccc".into(),
            ..Theme::light()
        })
}

fn layout(plot: &Plot, top: f64, x: &Axis, y: &Axis, entries: &[LegendEntry]) -> Layout {
    let (x, y) = (*x, *y);
    let format = |axis: Axis| TickFormat::Custom(Arc::new(move |v| axis.format(v)));
    let mut layout = frame(&plot.title)
        .with_x_axis_min(x.lo)
        .with_x_axis_max(x.hi)
        .with_y_axis_min(y.lo)
        .with_y_axis_max(y.hi)
        .with_x_tick_step(x.step)
        .with_y_tick_step(y.step)
        .with_x_tick_format(format(x))
        .with_y_tick_format(format(y));
    // The renderer takes the widths of the tick labels from these.
    (layout.x_range, layout.y_range) = ((x.lo, x.hi), (y.lo, y.hi));
    layout.force_margin_top = Some(top);
    layout.show_legend = false;
    if let Some(label) = &plot.x_label {
        layout = layout.with_x_label(label).with_x_label_wrap(64);
    }
    if let Some(label) = &plot.y_label {
        layout = layout.with_y_label(label).with_y_label_wrap(40);
    }
    if !entries.is_empty() {
        layout = layout
            .with_legend_entries(entries.to_vec())
            .with_legend_position(LegendPosition::Custom(0.0, 0.0));
    }
    layout
}

/// Colour and dashes of every series.
fn styles(plot: &Plot) -> impl Iterator<Item = (&Series, &'static str, LineStyle)> {
    let (mut series, mut references) = (0, 0);
    plot.series.iter().map(move |s| {
        if s.kind.is_reference() {
            references += 1;
            let dashes = REFERENCE_DASHES[(references - 1) % REFERENCE_DASHES.len()];
            return (s, REFERENCE, LineStyle::Custom(dashes.into()));
        }
        series += 1;
        let style = match s.kind {
            Kind::Dashed => LineStyle::Custom(DASHES.into()),
            _ => LineStyle::Solid,
        };
        (s, COLORS[(series - 1) % COLORS.len()], style)
    })
}

fn legend(plot: &Plot) -> Vec<LegendEntry> {
    styles(plot)
        .filter_map(|(series, color, style)| {
            Some(LegendEntry {
                label: series.label.clone()?,
                color: color.into(),
                shape: match series.kind {
                    Kind::Scatter => LegendShape::Marker(MarkerShape::Circle),
                    Kind::Histogram => LegendShape::Rect,
                    _ => LegendShape::Line,
                },
                dasharray: style.dasharray(),
            })
        })
        .collect()
}

/// The drawable runs of a series in axis units; a reference line runs across the plot.
fn runs(series: &Series, x: &Axis, y: &Axis) -> Vec<Vec<(f64, f64)>> {
    match (series.kind, series.points.first()) {
        (Kind::Horizontal, Some(&(_, at))) if drawable(at) => {
            vec![vec![(x.lo, y.map(at)), (x.hi, y.map(at))]]
        }
        (Kind::Vertical, Some(&(at, _))) if drawable(at) => {
            vec![vec![(x.map(at), y.lo), (x.map(at), y.hi)]]
        }
        (Kind::Horizontal | Kind::Vertical, _) => Vec::new(),
        _ => series
            .points
            .split(|&(px, py)| !drawable(px) || !drawable(py))
            .filter(|run| !run.is_empty())
            .map(|run| run.iter().map(|&(px, py)| (x.map(px), y.map(py))).collect())
            .collect(),
    }
}

fn marks(plot: &Plot, x: &Axis, y: &Axis) -> Vec<Marks> {
    // The renderer leaves out a panel without marks; an empty line keeps its axes.
    let mut below: Vec<Marks> = vec![LinePlot::new().into()];
    let mut marks: Vec<Marks> = Vec::new();
    for (series, color, style) in styles(plot) {
        let runs = runs(series, x, y);
        if series.kind == Kind::Scatter {
            let dots = ScatterPlot::new().with_color(color).with_size(2.5).with_marker_opacity(0.7);
            marks.push(dots.with_data(runs.concat()).into());
            continue;
        }
        for run in runs {
            let line = LinePlot::new().with_color(color).with_line_style(style.clone());
            let line = line.with_data(run);
            match series.kind {
                Kind::Histogram => below
                    .push(line.with_fill().with_fill_opacity(0.3).with_stroke_width(1.2).into()),
                Kind::Horizontal | Kind::Vertical => below.push(line.with_stroke_width(1.2).into()),
                _ => marks.push(line.with_stroke_width(2.0).into()),
            }
        }
    }
    below.append(&mut marks);
    below
}

// --- The place of the legend ---

/// Segments in axis units, and whether they belong to a reference line.
type Shapes = Vec<(bool, [(f64, f64); 2])>;

fn shapes(plot: &Plot, x: &Axis, y: &Axis) -> Shapes {
    let mut shapes = Vec::new();
    for series in &plot.series {
        for run in runs(series, x, y) {
            match series.kind {
                Kind::Scatter => shapes.extend(run.iter().map(|&p| (false, [p, p]))),
                kind => {
                    let single = (run.len() == 1).then(|| [run[0], run[0]]);
                    let segments = run.windows(2).map(|w| [w[0], w[1]]).chain(single);
                    shapes.extend(segments.map(|s| (kind.is_reference(), s)));
                    if kind == Kind::Histogram {
                        shapes.extend(run.iter().map(|&p| (false, [p, (p.0, 0.0)])));
                    }
                }
            }
        }
    }
    shapes
}

struct Place {
    /// Where the renderer puts the legend.
    at: (f64, f64),
    height: f64,
    /// Whether it covers a series.
    covers: bool,
}

/// The place inside the axes where the legend covers least.
fn place_legend(layout: &Layout, shapes: &Shapes, rows: usize) -> Place {
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

// --- Files ---

/// The panels side by side, the tops of their axes at one height.
fn scene(plots: &[Plot]) -> Scene {
    let margin = |plot: &Plot| ComputedLayout::from_layout(&frame(&plot.title)).margin_top;
    let top = plots.iter().map(margin).fold(0.0, f64::max);
    let panels = plots.iter().map(|plot| panel(plot, top));
    let (marks, layouts): (Vec<_>, Vec<_>) = panels.map(|p| (p.marks, p.layout)).unzip();
    kuva::render::figure::Figure::new(1, plots.len())
        .with_cell_size(PANEL.0, PANEL.1)
        .with_spacing(0.0)
        .with_padding(0.0)
        .with_plots(marks)
        .with_layouts(layouts)
        .render()
}

/// Replaces dashed lines by their dashes: the raster backend begins the pattern anew at every
/// point of a line, which fills the gaps of a fine one.
fn cut_dashes(scene: &mut Scene) {
    let elements = std::mem::take(&mut scene.elements);
    for element in elements {
        let (points, dashes, stroke, stroke_width) = match element {
            Primitive::PolyLine { points, stroke, stroke_width, stroke_dasharray: Some(d) } => {
                (points, d, stroke, stroke_width)
            }
            Primitive::Line { x1, y1, x2, y2, stroke, stroke_width, stroke_dasharray: Some(d) } => {
                (vec![(x1, y1), (x2, y2)], d, stroke, stroke_width)
            }
            other => {
                scene.elements.push(other);
                continue;
            }
        };
        for points in dash(&points, &dashes, stroke_width) {
            scene.elements.push(Primitive::PolyLine {
                points,
                stroke: stroke.clone(),
                stroke_width,
                stroke_dasharray: None,
            });
        }
    }
}

/// The dashes of a line. They end half a width early, for the round caps that they will get.
fn dash(points: &[(f64, f64)], pattern: &str, width: f64) -> Vec<Vec<(f64, f64)>> {
    let lengths: Vec<f64> = pattern.split(' ').filter_map(|n| n.parse().ok()).collect();
    let Some((first, rest)) = points.split_first().filter(|_| lengths.iter().all(|&n| n > 0.0))
    else {
        return Vec::new();
    };
    if lengths.is_empty() {
        return vec![points.to_vec()];
    }
    // Dashes and gaps take turns.
    let drawn = |i: usize| i.is_multiple_of(2);
    let length = |i: usize| {
        let cap = if drawn(i) { -width } else { width };
        (lengths[i % lengths.len()] + cap).max(0.1)
    };
    let (mut here, mut i, mut left) = (*first, 0, length(0));
    let mut dashes = vec![vec![here]];
    for &next in rest {
        loop {
            let (dx, dy) = (next.0 - here.0, next.1 - here.1);
            let distance = dx.hypot(dy);
            let done = distance <= left;
            let t = if done { 1.0 } else { left / distance };
            here = if done { next } else { (here.0 + dx * t, here.1 + dy * t) };
            left -= distance * t;
            if drawn(i)
                && let Some(dash) = dashes.last_mut()
            {
                dash.push(here);
            }
            if done {
                break;
            }
            i += 1;
            left = length(i);
            if drawn(i) {
                dashes.push(vec![here]);
            }
        }
    }
    dashes
}

#[track_caller]
fn save(plots: &[Plot], path: &Path) -> Result<()> {
    let at: Loc = Location::caller();
    if let Some(error) = plots.iter().find_map(|p| p.error.clone()) {
        return Err(error);
    }
    let fault = |kind, message: String| Error::new(kind, message).at(at);
    if plots.is_empty() {
        return Err(fault(ErrorKind::Value, "a figure without plots has nothing to save".into())
            .help("give `Figure::row` at least one plot"));
    }
    let shown = path.display();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let bytes = match &*extension {
        "svg" => SvgBackend::new().render_scene(&scene(plots)).into_bytes(),
        "png" => {
            let mut scene = scene(plots);
            cut_dashes(&mut scene);
            RasterBackend::new().with_scale(PIXELS).render_scene(&scene).map_err(|reason| {
                fault(ErrorKind::Io, format!("cannot draw `{shown}`: {reason}"))
                    .help("save it as `.svg`")
            })?
        }
        _ => {
            return Err(fault(
                ErrorKind::Value,
                format!("cannot tell from `{shown}` what kind of figure to write"),
            )
            .help("end the name in `.svg` or `.png`"));
        }
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|reason| {
            fault(ErrorKind::Io, format!("cannot write `{shown}`: {reason}"))
                .help("check that its folder can be made and written to")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use probpipe_trace::{array, linspace, trace};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A folder of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Scratch {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("probpipe-plot-{}-{count}", std::process::id());
            Scratch(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn example() -> Figure {
        let xs = linspace(0.0, 4.0, 200);
        let density = (-((&xs - 2.0) / 0.5).square() / 2.0).exp() * 0.797_884_56;
        let scores = (2.0 - &xs) * 4.0;
        Figure::row([
            Plot::new("Normal(2, 0.5) density").line(&xs, &density).x_label("x").y_label("p(x)"),
            Plot::new("Score function: d/dx log p(x)")
                .line(&xs, &scores)
                .label("score")
                .dashed(&xs, &scores)
                .label("analytical")
                .hline(0.0)
                .vline(2.0)
                .label("mean")
                .x_label("x")
                .y_label("d/dx log p(x)"),
        ])
    }

    fn big_endian(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |n, &b| n << 8 | u32::from(b))
    }

    #[test]
    fn saves_svg_and_png() {
        let scratch = Scratch::new();
        let path = scratch.0.join("deep/er/figure.svg");
        example().save(&path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for text in ["Normal(2, 0.5) density", "Score function", "analytical", "mean", "p(x)"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.starts_with("<svg") && svg.contains(r#"width="1000" height="350""#), "{svg}");
        for color in [COLORS[0], COLORS[1], REFERENCE] {
            assert!(svg.contains(&format!(r#"stroke="{color}""#)), "{color}");
        }
        assert!(svg.matches("<path").count() >= 5);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));

        let path = scratch.0.join("figure.PNG");
        example().save(&path).unwrap();
        let png = std::fs::read(&path).unwrap();
        assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[12..16], *b"IHDR");
        assert_eq!((big_endian(&png[16..20]), big_endian(&png[20..24])), (2000, 700));
    }

    /// Draws what must be drawn without a fault, and gives the SVG.
    fn drawn(plot: Plot) -> String {
        let plots = [plot];
        let mut scene = scene(&plots);
        let svg = SvgBackend::new().render_scene(&scene);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        cut_dashes(&mut scene);
        RasterBackend::new().with_scale(PIXELS).render_scene(&scene).unwrap();
        assert!(plots[0].error.is_none());
        svg
    }

    #[test]
    fn draws_scatter_and_histogram() {
        let xs = array([0.0, 1.0, 1.5, 1.75, 2.0]);
        let svg = drawn(Plot::new("Points").scatter(&xs, &xs).label("points"));
        assert!(svg.contains("<circle"));
        let svg = drawn(Plot::new("Bars").histogram(&xs, 4).label("data").dashed(&xs, &xs));
        assert_eq!(svg.matches("<path").count(), 3);
    }

    #[test]
    fn histograms_have_area_one() {
        let points = outline(&[0.0, 1.0, 1.5, 1.75, f64::NAN, 2.0], 4);
        let heights: Vec<f64> = points.iter().map(|p| p.1).collect();
        assert_eq!(heights, [0.0, 0.4, 0.4, 0.0, 0.0, 0.4, 0.4, 1.2, 1.2, 0.0]);
        assert_eq!((points[0].0, points[9].0), (0.0, 2.0));
        // Equal values still have a bin of some width.
        assert_eq!(outline(&[0.0, 0.0], 1), [(-1.0, 0.0), (-1.0, 0.5), (1.0, 0.5), (1.0, 0.0)]);
        assert!(outline(&[f64::INFINITY], 3).is_empty());
    }

    #[test]
    fn skips_points_that_are_not_finite() {
        let xs = Array::from_slice(&[0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN], [6]);
        let ys = Array::from_slice(&[0.0, 1.0, f64::INFINITY, 3.0, 4.0, 5.0], [6]);
        let plot = Plot::new("").line(&xs, &ys);
        let (x, y) = (Axis::around(Some((0.0, 4.0)), false), Axis::around(None, false));
        assert_eq!(runs(&plot.series[0], &x, &y).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(drawn(plot.hline(f64::NAN).vline(f64::INFINITY)).matches("<path").count(), 2);
    }

    #[test]
    fn draws_degenerate_data() {
        let empty = Array::from_slice::<f64>(&[], [0]);
        drawn(Plot::new("Nothing"));
        drawn(Plot::new("<&> \u{0} $x$").line(&empty, &empty).label("").histogram(&empty, 3));
        let big = [f64::MAX, -f64::MAX, f64::NAN, f64::INFINITY];
        let extremes: [&[f64]; 8] = [
            &[0.0],
            &[7.0, 7.0, 7.0],
            &[1e300, -1e300],
            &[5e-324, 0.0],
            &[1e-300, 2e-300],
            &[1e9, 1e9 + 1e-6],
            &[3e-20, 4e-20],
            &big,
        ];
        for values in extremes {
            let a = Array::from_slice(values, [values.len()]);
            let plot = Plot::new("t").line(&a, &a).dashed(&a, &a).scatter(&a, &a).label("s");
            drawn(plot.histogram(&a, 3).hline(values[0]).vline(values[0]).label("l"));
        }
        let long = "long words ".repeat(30);
        let mut plot = Plot::new(&long).x_label(&long).y_label(&long);
        for _ in 0..30 {
            plot = plot.line(&array([0, 1]), &array([true, false])).label(&long);
        }
        drawn(plot);
    }

    #[test]
    fn ticks_read_well() {
        let labels = |lo, hi| {
            let axis = Axis::around(Some((lo, hi)), false);
            let first = (axis.lo / axis.step).ceil();
            let ticks = (0..20).map(|i| (first + f64::from(i)) * axis.step);
            ticks.take_while(|&t| t <= axis.hi).map(|t| axis.format(t)).collect::<Vec<_>>()
        };
        assert_eq!(labels(0.0, 6.0), ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(labels(-0.2, 0.2), ["-0.2", "-0.1", "0.0", "0.1", "0.2"]);
        assert_eq!(labels(0.0, 40_000.0), ["0", "10000", "20000", "30000", "40000"]);
        assert_eq!(labels(0.0, 4e6), ["0", "1e6", "2e6", "3e6", "4e6"]);
        assert_eq!(labels(1.0, 1.0004), ["1.0000", "1.0001", "1.0002", "1.0003", "1.0004"]);
        assert_eq!(labels(0.0, 5e-9), ["0", "1e-9", "2e-9", "3e-9", "4e-9", "5e-9"]);
    }

    #[test]
    fn legends_avoid_curves() {
        let xs = linspace(0.0, 1.0, 100);
        let entries = |plot: &Plot| {
            let panel = panel(plot, 40.0);
            let y = (panel.layout.y_axis_min.unwrap(), panel.layout.y_axis_max.unwrap());
            let LegendPosition::Custom(px, py) = panel.layout.legend_position else { panic!() };
            (y, (px, py))
        };
        // Rising: the upper left is free; falling: the upper right.
        let (_, rising) = entries(&Plot::new("").line(&xs, &xs).label("rising"));
        let (_, falling) = entries(&Plot::new("").line(&xs, &(-&xs)).label("falling"));
        assert!(rising.0 < 250.0 && rising.1 < 175.0 && falling.0 > 250.0, "{rising:?}");
        // A curve that is everywhere gets room above it.
        let ys = (&xs * 300.0).sin();
        let (plain, _) = entries(&Plot::new("").line(&xs, &ys).label("noise"));
        assert!(plain.1 > 1.1, "{plain:?}");
    }

    #[test]
    fn dashes_run_on_over_points() {
        let line: Vec<_> = (0..=100).map(|i| (f64::from(i) * 0.5, 0.0)).collect();
        let dashes = dash(&line, "6 4", 2.0);
        assert_eq!(dashes.len(), 5);
        for (i, dash) in dashes.iter().enumerate() {
            let (start, end) = (dash[0].0, dash[dash.len() - 1].0);
            assert!((start - 10.0 * i as f64).abs() < 1e-9 && (end - start - 4.0).abs() < 1e-9);
        }
        assert!(dash(&[], "6 4", 2.0).is_empty());
    }

    fn fault(plot: Plot) -> Error {
        let scratch = Scratch::new();
        let error = plot.save(scratch.0.join("p.svg")).unwrap_err();
        assert!(!scratch.0.exists());
        assert!(error.location().is_some_and(|l| l.file().ends_with("plot.rs")), "{error}");
        error
    }

    #[test]
    fn remembers_the_first_fault() {
        let (two, three) = (array([0.0, 1.0]), array([0.0, 1.0, 2.0]));
        let line = line!() + 1;
        let error = fault(Plot::new("t").line(&two, &three).histogram(&two, 0).label("l"));
        assert_eq!(error.kind(), ErrorKind::Shape);
        assert_eq!(
            error.message(),
            "`line` takes two arrays of one length, not of lengths 2 and 3"
        );
        assert_eq!(error.location().map(|l| l.line()), Some(line));
        assert!(error.to_string().contains("help: give one `y`"), "{error}");

        let plot = Plot::new("t").line(&two, &two);
        let in_row = Figure::row([plot.clone(), plot.scatter(&two, &three)]);
        assert_eq!(in_row.save("p.svg").unwrap_err().kind(), ErrorKind::Shape);
    }

    #[test]
    fn refuses_arrays_that_it_cannot_read() {
        let (two, square) = (array([0.0, 1.0]), array([[0.0, 1.0], [2.0, 3.0]]));
        let error = fault(Plot::new("t").dashed(&square, &square));
        assert_eq!(error.kind(), ErrorKind::Shape);
        assert!(error.message().ends_with("not one of shape [2, 2]"), "{error}");
        assert_eq!(fault(Plot::new("t").line(&array(1.0), &two)).kind(), ErrorKind::Shape);

        let invalid = &two + array([0.0, 1.0, 2.0]);
        let error = fault(Plot::new("t").scatter(&invalid, &two));
        assert_eq!(Some(error.message()), invalid.error().map(Error::message));
        assert!(error.to_string().contains("`scatter` read it from"), "{error}");

        let mut traced = None;
        trace(&[two.ty().unwrap()], |inputs| {
            traced = Some(Plot::new("t").histogram(&inputs[0], 2));
            inputs.to_vec()
        })
        .unwrap();
        assert_eq!(fault(traced.unwrap()).kind(), ErrorKind::Trace);

        for bins in [0, usize::MAX] {
            assert_eq!(fault(Plot::new("t").histogram(&two, bins)).kind(), ErrorKind::Value);
        }
        assert_eq!(fault(Plot::new("t").label("l").line(&two, &two)).kind(), ErrorKind::Value);
    }

    #[test]
    fn refuses_places_that_it_cannot_write() {
        let scratch = Scratch::new();
        for name in ["figure", "figure.pdf", "svg", ""] {
            let error = example().save(scratch.0.join(name)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value, "{name}");
            assert!(error.to_string().contains("`.svg` or `.png`"), "{error}");
        }
        let error = Figure::row([]).save(scratch.0.join("f.svg")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(!scratch.0.exists());

        std::fs::create_dir_all(&scratch.0).unwrap();
        std::fs::write(scratch.0.join("file"), "").unwrap();
        let line = line!() + 1;
        let error = example().save(scratch.0.join("file/f.png")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().starts_with("cannot write"), "{error}");
        assert_eq!(error.location().map(|l| l.line()), Some(line));
    }
}
