//! One panel as the renderer takes it, the scene of a figure, and dashes that a raster can show.

use super::Plot;
use super::legend::{place_legend, shapes};
use super::scale::{Axis, drawable, span};
use super::series::{Kind, Series, runs};
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::{BandPlot, ContourPlot, LinePlot, LineStyle, MarkerShape, ScatterPlot};
use kuva::render::layout::{ComputedLayout, Layout, TickFormat};
use kuva::render::plots::Plot as Marks;
use kuva::render::render::{Primitive, Scene};
use kuva::render::theme::Theme;
use std::sync::Arc;

/// Size of one panel, in the units of an SVG.
const PANEL: (f64, f64) = (500.0, 350.0);
/// Pixels of a PNG per unit: figures stay sharp on dense displays.
pub(super) const PIXELS: f32 = 2.0;
/// Colours of the series, in order.
pub(super) const COLORS: [&str; 8] =
    ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf"];
/// Lengths of the dashes and gaps of a dashed line.
const DASHES: &str = "7 4";
/// Colour of the reference lines.
pub(super) const REFERENCE: &str = "#7f7f7f";
/// Dashes and gaps of the reference lines, in order.
const REFERENCE_DASHES: [&str; 3] = ["6 4", "2 3", "8 3 2 3"];

/// What the renderer draws for one panel.
pub(super) struct Panel {
    marks: Vec<Marks>,
    pub(super) layout: Layout,
}

pub(super) fn panel(plot: &Plot, top: f64) -> Panel {
    let points = || plot.series.iter().flat_map(|s| &s.points);
    // A line needs both coordinates, a reference line has but one.
    let whole = |&&(x, y): &&(f64, f64)| x.is_nan() || y.is_nan() || drawable(x) && drawable(y);
    let x = Axis::around(span(points().filter(whole).map(|p| p.0)), false);
    let histogram = plot.series.iter().any(|s| s.kind == Kind::Histogram);
    let mut y = match plot.y_names.len() {
        0 => Axis::around(span(points().filter(whole).map(|p| p.1)), histogram),
        n => Axis::places(n),
    };

    let entries = legend(plot);
    let mut layout = layout(plot, top, &x, &y, &entries);
    if !entries.is_empty() {
        let shapes = shapes(&plot.series, &x, &y);
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
    let y_format = match plot.y_names.clone() {
        names if names.is_empty() => format(y),
        names => {
            let name = move |v: f64| {
                // Of numbers that are no places there is nothing to say.
                let name = names.get(v.round() as usize).filter(|_| v > -0.5);
                name.cloned().unwrap_or_default()
            };
            TickFormat::Custom(Arc::new(name))
        }
    };
    let mut layout = frame(&plot.title)
        .with_x_axis_min(x.lo)
        .with_x_axis_max(x.hi)
        .with_y_axis_min(y.lo)
        .with_y_axis_max(y.hi)
        .with_x_tick_step(x.step)
        .with_y_tick_step(y.step)
        .with_x_tick_format(format(x))
        .with_y_tick_format(y_format);
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
        if !(s.shared && series > 0) {
            series += 1;
        }
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
                    Kind::Histogram | Kind::Band | Kind::Filled => LegendShape::Rect,
                    _ => LegendShape::Line,
                },
                dasharray: style.dasharray(),
            })
        })
        .collect()
}

fn marks(plot: &Plot, x: &Axis, y: &Axis) -> Vec<Marks> {
    // The renderer leaves out a panel without marks; an empty line keeps its axes.
    let mut below: Vec<Marks> = vec![LinePlot::new().into()];
    let mut marks: Vec<Marks> = Vec::new();
    for (series, color, style) in styles(plot) {
        let runs = runs(series, x, y);
        if let Some((grid, levels)) = &series.bands {
            let mapped = |list: &[f64], axis: &Axis| list.iter().map(|&v| axis.map(v)).collect();
            let bands = ContourPlot::new().with_n_levels(*levels).with_filled();
            let bands = bands.with_grid(grid.z.clone(), mapped(&grid.x, x), mapped(&grid.y, y));
            below.push(bands.into());
            continue;
        }
        if series.kind == Kind::Scatter {
            let (size, opacity) = if series.fine { (1.5, 0.4) } else { (2.5, 0.7) };
            let dots = ScatterPlot::new().with_color(color).with_size(size);
            let dots = dots.with_marker_opacity(opacity);
            marks.push(dots.with_data(runs.concat()).into());
            continue;
        }
        for run in runs {
            if series.kind == Kind::Band {
                let (low, high) = run.split_at(run.len() / 2);
                let x = low.iter().map(|p| p.0);
                let heights = (low.iter().map(|p| p.1), high.iter().rev().map(|p| p.1));
                let area = BandPlot::new(x, heights.0, heights.1);
                below.push(area.with_color(color).with_opacity(0.25).into());
                continue;
            }
            let line = LinePlot::new().with_color(color).with_line_style(style.clone());
            let line = line.with_data(run);
            match series.kind {
                Kind::Histogram => below
                    .push(line.with_fill().with_fill_opacity(0.3).with_stroke_width(1.2).into()),
                Kind::Horizontal | Kind::Vertical => below.push(line.with_stroke_width(1.2).into()),
                _ => marks.push(line.with_stroke_width(if series.fine { 0.8 } else { 2.0 }).into()),
            }
        }
    }
    below.append(&mut marks);
    below
}

/// The panels in rows of so many, the tops of their axes at one height.
pub(super) fn scene(plots: &[Plot], columns: usize) -> Scene {
    let margin = |plot: &Plot| ComputedLayout::from_layout(&frame(&plot.title)).margin_top;
    let top = plots.iter().map(margin).fold(0.0, f64::max);
    let panels = plots.iter().map(|plot| panel(plot, top));
    let (marks, layouts): (Vec<_>, Vec<_>) = panels.map(|p| (p.marks, p.layout)).unzip();
    kuva::render::figure::Figure::new(plots.len().div_ceil(columns), columns)
        .with_cell_size(PANEL.0, PANEL.1)
        .with_spacing(0.0)
        .with_padding(0.0)
        .with_plots(marks)
        .with_layouts(layouts)
        .render()
}

/// Replaces dashed lines by their dashes: the raster backend begins the pattern anew at every
/// point of a line, which fills the gaps of a fine one.
pub(super) fn cut_dashes(scene: &mut Scene) {
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
pub(super) fn dash(points: &[(f64, f64)], pattern: &str, width: f64) -> Vec<Vec<(f64, f64)>> {
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
