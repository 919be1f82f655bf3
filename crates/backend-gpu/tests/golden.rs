//! Shaders as text, whole, for a fused map, a reduction and a loop. `UPDATE_EXPECT=1` writes the
//! files anew; read the difference before keeping it.

use probpipe_backend_gpu::wgsl::{Target, element_bytes, emit};
use probpipe_lowering::{Options, lower};
use probpipe_trace::{Array, ArrayType, DType, fori_loop, trace, verify};
use std::path::Path;

#[track_caller]
fn expect(name: &str, shapes: &[&[usize]], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let types: Vec<ArrayType> = shapes.iter().map(|s| ArrayType::new(DType::F32, *s)).collect();
    let options = Options { element_bytes, ..Options::default() };
    let graph = trace(&types, f).expect("traces").graph;
    let program = lower(verify(&graph).unwrap(), &options).expect("lowers");
    let module = emit(&program, &Target::default()).expect("is emitted");
    let text: String = module.shaders.iter().map(|s| format!("// shader\n{}\n", s.text)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.wgsl"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, want, "\n{name} is now\n{text}");
}

#[test]
fn map() {
    expect("map", &[&[1000], &[1000]], |x| vec![(&x[0] * 2.0 + &x[1]).sqrt()]);
}

#[test]
fn reduction() {
    expect("reduction", &[&[8, 300]], |x| vec![x[0].square().sum_axes([1]), x[0].max()]);
}

#[test]
fn small_loop() {
    expect("small_loop", &[&[2]], |x| {
        vec![fori_loop(50, x[0].clone(), |i, c| &c * 0.5 + i.cast(DType::F32))]
    });
}
