//! The charts of the documentation: ratios by program, and times against sizes, both on
//! logarithmic axes, as SVG.

use super::table::Row;
use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::render::render::{Primitive, Scene, TextAnchor};
use std::path::Path;

const TEXT: &str = "#222222";
const GRID: &str = "#e0e0e0";
const AXIS: &str = "#666666";
const MET: &str = "#1f77b4";
const MISSED: &str = "#d62728";
const COLORS: [&str; 6] = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"];

/// A drawing.
pub struct Chart {
    scene: Scene,
}

impl Chart {
    fn new(width: f64, height: f64) -> Chart {
        let mut scene = Scene::new(width, height);
        scene.background_color = Some("white".into());
        Chart { scene }
    }

    /// Writes it, as SVG or, by the extension, as PNG.
    pub fn save(self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let bytes = if path.extension().is_some_and(|e| e == "png") {
            let drawn = RasterBackend::new().with_scale(2.0).render_scene(&self.scene);
            drawn.map_err(|e| format!("{shown}: {e}"))?
        } else {
            SvgBackend::new().render_scene(&self.scene).into_bytes()
        };
        std::fs::write(path, bytes).map_err(|e| format!("{shown}: {e}"))
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), color: &str, width: f64) {
        self.scene.add(Primitive::Line {
            x1,
            y1,
            x2,
            y2,
            stroke: color.into(),
            stroke_width: width,
            stroke_dasharray: None,
        });
    }

    fn text(&mut self, x: f64, y: f64, content: &str, size: u32, anchor: TextAnchor) {
        self.scene.add(Primitive::Text {
            x,
            y,
            content: content.into(),
            size,
            anchor,
            rotate: None,
            bold: false,
            color: Some(TEXT.into()),
        });
    }

    fn dot(&mut self, (cx, cy): (f64, f64), r: f64, color: &str) {
        self.scene.add(Primitive::Circle {
            cx,
            cy,
            r,
            fill: color.into(),
            fill_opacity: None,
            stroke: None,
            stroke_width: None,
        });
    }
}

/// A logarithmic axis: numbers to places.
#[derive(Clone, Copy)]
struct LogAxis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl LogAxis {
    /// Around the numbers, by powers of `step`.
    fn around(values: impl Iterator<Item = f64>, step: f64, from: f64, to: f64) -> LogAxis {
        let logs = values.filter(|v| *v > 0.0 && v.is_finite()).map(|v| v.ln() / step.ln());
        let (low, high) =
            logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return LogAxis { low: 1.0, high: step, from, to };
        }
        let low = (low + 0.02).floor();
        let high = (high - 0.02).ceil().max(low + 1.0);
        LogAxis { low: step.powf(low), high: step.powf(high), from, to }
    }

    fn place(self, v: f64) -> f64 {
        let t = (v / self.low).ln() / (self.high / self.low).ln();
        self.from + t * (self.to - self.from)
    }

    fn ticks(self, step: f64) -> Vec<f64> {
        std::iter::successors(Some(self.low), |v| Some(v * step))
            .take_while(|v| *v <= self.high * 1.001)
            .collect()
    }
}

/// JAX's time over ours by program, with what is asked.
pub fn ratios(rows: &[Row]) -> Chart {
    let rows: Vec<(&Row, f64)> = rows
        .iter()
        .filter(|r| r.device == probpipe::Device::Cpu)
        .filter_map(|r| Some((r, r.ratio()?)))
        .collect();
    const LINE: f64 = 17.0;
    const TOP: f64 = 64.0;
    let bottom = TOP + LINE * rows.len() as f64;
    let mut chart = Chart::new(720.0, bottom + 54.0);
    let values = rows.iter().flat_map(|(r, ratio)| [*ratio, r.workload.target, 1.0]);
    let axis = LogAxis::around(values, 2.0, 190.0, 690.0);
    chart.text(360.0, 24.0, "Times faster than JAX on the CPU", 14, TextAnchor::Middle);
    for tick in axis.ticks(2.0) {
        let x = axis.place(tick);
        let one = (tick - 1.0).abs() < 1e-9;
        let (color, width) = if one { (AXIS, 1.6) } else { (GRID, 1.0) };
        chart.line((x, TOP - 6.0), (x, bottom + 2.0), color, width);
        let label = if tick < 1.0 { format!("1/{:.0}", 1.0 / tick) } else { format!("{tick:.0}") };
        chart.text(x, bottom + 18.0, &label, 11, TextAnchor::Middle);
    }
    for (i, (row, ratio)) in rows.iter().enumerate() {
        let y = TOP + LINE * (i as f64 + 0.5);
        chart.text(180.0, y + 4.0, row.workload.name, 11, TextAnchor::End);
        let met = *ratio >= row.workload.target;
        let color = if met { MET } else { MISSED };
        let (one, here) = (axis.place(1.0), axis.place(*ratio));
        chart.line((one, y), (here, y), color, 3.0);
        chart.dot((here, y), 4.5, color);
        let target = axis.place(row.workload.target);
        chart.line((target, y - 6.0), (target, y + 6.0), TEXT, 2.0);
    }
    let y = 46.0;
    let mut x = 190.0;
    for (color, label) in [(MET, "target met"), (MISSED, "target missed")] {
        chart.dot((x + 5.0, y - 4.0), 4.5, color);
        chart.text(x + 16.0, y, label, 11, TextAnchor::Start);
        x += 120.0;
    }
    chart.line((x + 5.0, y - 10.0), (x + 5.0, y + 2.0), TEXT, 2.0);
    chart.text(x + 16.0, y, "target", 11, TextAnchor::Start);
    let caption = "JAX's time / ours, logarithmic; right of 1 is faster than JAX";
    chart.text(440.0, bottom + 40.0, caption, 11, TextAnchor::Middle);
    chart
}

/// A curve of times against sizes.
pub struct Curve {
    pub label: &'static str,
    /// Sizes, and nanoseconds per unit.
    pub points: Vec<(f64, f64)>,
}

/// Nanoseconds per unit against size.
pub fn curves(title: &str, unit: &str, curves: &[Curve]) -> Chart {
    let mut chart = Chart::new(720.0, 420.0);
    let points = || curves.iter().flat_map(|c| &c.points);
    let x = LogAxis::around(points().map(|p| p.0), 10.0, 80.0, 540.0);
    let y = LogAxis::around(points().map(|p| p.1), 10.0, 360.0, 50.0);
    chart.text(310.0, 26.0, title, 14, TextAnchor::Middle);
    for tick in x.ticks(10.0) {
        let at = x.place(tick);
        chart.line((at, y.to), (at, y.from), GRID, 1.0);
        let label = format!("1e{:.0}", tick.log10());
        chart.text(at, y.from + 18.0, &label, 11, TextAnchor::Middle);
    }
    for tick in y.ticks(10.0) {
        let at = y.place(tick);
        chart.line((x.from, at), (x.to, at), GRID, 1.0);
        let label = if tick < 1.0 {
            format!("{tick:.*}", (-tick.log10()).ceil() as usize)
        } else {
            format!("{tick:.0}")
        };
        chart.text(x.from - 8.0, at + 4.0, &label, 11, TextAnchor::End);
    }
    for (i, curve) in curves.iter().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let places: Vec<(f64, f64)> =
            curve.points.iter().map(|&(n, ns)| (x.place(n), y.place(ns))).collect();
        for pair in places.windows(2) {
            chart.line(pair[0], pair[1], color, 2.0);
        }
        for &at in &places {
            chart.dot(at, 3.0, color);
        }
        let at = 66.0 + 20.0 * i as f64;
        chart.line((554.0, at - 4.0), (576.0, at - 4.0), color, 2.0);
        chart.text(582.0, at, curve.label, 11, TextAnchor::Start);
    }
    chart.text(310.0, 400.0, "size, logarithmic", 11, TextAnchor::Middle);
    chart.text(12.0, 42.0, unit, 11, TextAnchor::Start);
    chart
}
