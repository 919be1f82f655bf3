//! What the device's language can hold, checked before anything is lowered: the error names the
//! op, the type and the user's line.

use probpipe_trace::{ArrayType, Callback, DType, Error, ErrorKind, Graph, Loc, Op, Result};

fn supported(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::I32 | DType::U32 | DType::Bool)
}

fn refuse(what: &str, ty: &ArrayType) -> Error {
    let help = match ty.dtype {
        DType::F64 => "use f32, for example with `.cast(DType::F32)`, or run on the CPU",
        _ => "use i32 or u32, or run on the CPU",
    };
    Error::new(ErrorKind::Backend, format!("the gpu backend has no {}: {what} is {ty}", ty.dtype))
        .note("it computes with f32, i32, u32 and bool", None)
        .help(help)
}

fn refuse_callback(callback: &Callback, location: Loc) -> Error {
    let message =
        format!("the gpu backend cannot call the host: `{}` is a callback", callback.name);
    Error::new(ErrorKind::Backend, message)
        .at(location)
        .help("leave it out of the compiled function, or compile for the CPU")
}

/// Whether arrays of this type can lie on the device.
pub(crate) fn check_type(ty: &ArrayType) -> Result<()> {
    if supported(ty.dtype) { Ok(()) } else { Err(refuse("the array", ty)) }
}

/// Whether every variable of the graph can lie on the device.
pub(crate) fn check_graph(graph: &Graph) -> Result<()> {
    for eqn in graph.eqns() {
        match &eqn.op {
            Op::Call { graph, .. } | Op::Checkpoint { graph } => check_graph(graph)?,
            Op::Custom(custom) => check_graph(&custom.graph)?,
            Op::Callback(callback) => return Err(refuse_callback(callback, eqn.location)),
            Op::Scan(scan) => check_graph(&scan.body)?,
            op @ (Op::Switch(_) | Op::While(_)) => {
                let message = format!("the gpu backend has no `{}` yet", op.name());
                return Err(Error::new(ErrorKind::Backend, message)
                    .at(eqn.location)
                    .help("use `select` and `fori_loop` there, or run on the CPU"));
            }
            _ => {}
        }
        let name = eqn.op.name();
        for &v in &eqn.outputs {
            if !supported(graph.ty(v).dtype) {
                return Err(
                    refuse(&format!("the result of `{name}`"), graph.ty(v)).at(eqn.location)
                );
            }
        }
        for &v in &eqn.inputs {
            if !supported(graph.ty(v).dtype) {
                return Err(
                    refuse(&format!("an operand of `{name}`"), graph.ty(v)).at(eqn.location)
                );
            }
        }
    }
    for (i, ty) in graph.input_types().enumerate() {
        if !supported(ty.dtype) {
            return Err(refuse(&format!("argument {i}"), ty));
        }
    }
    for (i, ty) in graph.output_types().enumerate() {
        if !supported(ty.dtype) {
            return Err(refuse(&format!("result {i}"), ty));
        }
    }
    Ok(())
}
