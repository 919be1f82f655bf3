//! Figures are written, drawn without a fault from any data, and refuse what they cannot draw.

use super::draw::{COLORS, REFERENCE, dash, panel};
use super::scale::Axis;
use super::series::runs;
use super::*;
use kuva::plot::legend::LegendPosition;
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
    let mut scene = scene(&plots, 1);
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
    assert!(error.location().is_some_and(|l| l.file().ends_with("tests.rs")), "{error}");
    error
}

#[test]
fn remembers_the_first_fault() {
    let (two, three) = (array([0.0, 1.0]), array([0.0, 1.0, 2.0]));
    let line = line!() + 1;
    let error = fault(Plot::new("t").line(&two, &three).histogram(&two, 0).label("l"));
    assert_eq!(error.kind(), ErrorKind::Shape);
    assert_eq!(error.message(), "`line` takes two arrays of one length, not of lengths 2 and 3");
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

/// A cone over a grid, whose level lines are circles.
fn cone(n: usize) -> (Array, Array) {
    let axis = linspace(-2.0, 2.0, n);
    let square = axis.square();
    (axis, (square.reshape([n, 1]) + square.reshape([1, n])).sqrt())
}

#[test]
fn level_lines_close_around_a_peak() {
    let (axis, z) = cone(41);
    let grid = grid("contour", &axis, &axis, &z).unwrap();
    let lines = grid.lines(1.0);
    assert_eq!(lines.len(), 1, "one circle");
    assert_eq!(lines[0].first(), lines[0].last(), "that is closed");
    assert!(lines[0].iter().all(|(x, y)| (x.hypot(*y) - 1.0).abs() < 0.01));
    // A larger one leaves the grid at its four sides.
    let lines = grid.lines(2.5);
    assert_eq!(lines.len(), 4);
    let on_border = |&(x, y): &(f64, f64)| x.abs().max(y.abs()) == 2.0;
    assert!(lines.iter().all(|l| on_border(&l[0]) && on_border(l.last().unwrap())));
    assert_eq!(grid.levels(3).len(), 3);
    assert!(grid.lines(f64::NAN).is_empty() && grid.lines(9.0).is_empty());
}

#[test]
fn saddles_are_two_lines() {
    let axis = array([-1.0, 1.0]);
    let grid = grid("contour", &axis, &axis, &array([[1.0, -1.0], [-1.0, 1.0]])).unwrap();
    assert_eq!(grid.lines(0.1).len(), 2);
    assert_eq!(grid.lines(-0.1).len(), 2);
}

#[test]
fn contours_are_drawn_and_refused() {
    let folder = Scratch::new();
    let (axis, z) = cone(21);
    let plot = Plot::new("cone").filled_contour(&axis, &axis, &z, 6).contour(&axis, &axis, &z, 6);
    plot.dashed_contour(&axis, &axis, &z, 3).label("lines").save(folder.0.join("a.svg")).unwrap();
    let wrong = Plot::new("cone").contour(&axis, &linspace(0.0, 1.0, 5), &z, 6);
    let message = wrong.save(folder.0.join("b.svg")).unwrap_err().to_string();
    assert!(message.contains("heights of shape [5, 21], not [21, 21]"), "{message}");
    let empty = linspace(0.0, 1.0, 0);
    let flat = probpipe_trace::zeros([0, 0]);
    Plot::new("none")
        .filled_contour(&empty, &empty, &flat, 4)
        .save(folder.0.join("c.svg"))
        .unwrap();
}

#[test]
fn grids_have_rows() {
    let xs = array([0.0, 1.0]);
    let plots = (0..5).map(|i| Plot::new(format!("panel {i}")).line(&xs, &xs)).collect::<Vec<_>>();
    let svg = SvgBackend::new().render_scene(&scene(&plots, 3));
    assert!(svg.contains(r#"width="1500" height="700""#), "{svg}");
    assert!((0..5).all(|i| svg.contains(&format!("panel {i}"))));
    let refused = Figure::grid(0, plots).save("figure.svg").unwrap_err();
    assert_eq!(refused.message(), "a figure of no columns has no place for plots");
}

#[test]
fn bands_names_and_colours_are_drawn() {
    let xs = array([0.0, 1.0, 2.0, 3.0, 4.0]);
    let low = Array::from_slice(&[0.0, 0.0, f64::NAN, 1.0, 1.0], [5]);
    let plot = Plot::new("").line(&xs, &xs).band(&xs, &low, &(&low + 1.0)).same_color();
    // There along the lower line and back along the upper one, in two parts.
    let points = &plot.series[1].points;
    let heights: Vec<f64> = points.iter().map(|p| p.1).collect();
    assert_eq!(heights[..4], [0.0, 0.0, 1.0, 1.0]);
    assert!(heights[4].is_nan() && heights.len() == 10);
    assert_eq!((points[1].0, points[2].0, points[3].0), (1.0, 1.0, 0.0));
    let svg = drawn(plot.clone().scatter(&xs, &xs).fine().label("points"));
    assert!(svg.contains(COLORS[0]) && svg.contains(COLORS[1]) && !svg.contains(COLORS[2]));
    let svg = drawn(plot.clone().y_names(["first", "second", "third"]).label("band"));
    assert!(["first", "second", "third"].iter().all(|name| svg.contains(name)));
    assert_eq!(fault(plot.band(&xs, &low, &array([1.0]))).kind(), ErrorKind::Shape);
    assert_eq!(fault(Plot::new("t").same_color()).kind(), ErrorKind::Value);
    assert_eq!(fault(Plot::new("t").fine()).kind(), ErrorKind::Value);
}
