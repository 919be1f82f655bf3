//! The WGSL text parses, validates and can be taken apart. Values are checked on devices elsewhere.

use probpipe_kernels::wgsl::{MATH_WGSL, wgsl_function, wgsl_module, wgsl_names};

#[track_caller]
fn validate(source: &str) {
    // Every shader has this variable.
    let source = &format!("var<private> pp_zero: u32;\n{source}");
    let module = match naga::front::wgsl::parse_str(source) {
        Ok(module) => module,
        Err(error) => panic!("{}", error.emit_to_string(source)),
    };
    let flags = naga::valid::ValidationFlags::all();
    // What is not of double precision is plain WGSL.
    let capabilities = match source.contains("f64") || source.contains("u64") {
        true => naga::valid::Capabilities::FLOAT64 | naga::valid::Capabilities::SHADER_INT64,
        false => naga::valid::Capabilities::empty(),
    };
    let mut validator = naga::valid::Validator::new(flags, capabilities);
    if let Err(error) = validator.validate(&module) {
        panic!("{}", error.emit_to_string(source));
    }
}

#[test]
fn whole_text_is_valid() {
    validate(MATH_WGSL);
    validate(&wgsl_module(&wgsl_names()).expect("known names"));
}

#[test]
fn every_function_is_valid_with_only_what_it_calls() {
    for name in wgsl_names() {
        validate(&wgsl_module(&[name]).expect("a known name"));
    }
}

#[test]
fn callees_come_first() {
    let names = wgsl_names();
    for (i, name) in names.iter().enumerate() {
        for dep in wgsl_function(name).expect("a known name").deps {
            let at = names.iter().position(|other| *other == dep);
            assert!(at.is_some_and(|at| at < i), "{name} calls {dep}");
        }
    }
}

#[test]
fn every_kernel_has_its_function() {
    let unary = probpipe_kernels::UnaryKernel::ALL.iter().map(|kernel| kernel.name());
    let binary = probpipe_kernels::BinaryKernel::ALL.iter().map(|kernel| kernel.name());
    for name in unary.chain(binary) {
        assert!(wgsl_function(name).is_some(), "{name}");
        assert!(wgsl_function(&format!("{name}_f64")).is_some(), "{name} in double precision");
    }
    assert!(wgsl_function("no_such_function").is_none());
    assert!(wgsl_module(&["exp", "no_such_function"]).is_none());
    let text = wgsl_module(&["exp", "pp_expm1"]).expect("known names");
    assert_eq!(text.matches("fn pp_exp_reduce(").count(), 1);
    // What is printed is found like what is written.
    let text = wgsl_module(&["lgamma_f64", "pp_sin_f64"]).expect("known names");
    for name in ["pp_lgamma_common_f64", "pp_library_lgamma_f64", "pp_sin_common_f64"] {
        assert_eq!(text.matches(&format!("fn {name}(")).count(), 1, "{name}");
    }
}

#[test]
fn special_functions_take_the_same_operands_in_both_precisions() {
    let head = |name: &str| {
        let source = wgsl_function(name).unwrap_or_else(|| panic!("{name}")).source;
        let line = source.lines().find(|line| line.starts_with("fn "));
        line.expect("a function").to_owned()
    };
    for op in probpipe_trace::SpecialOp::ALL {
        let derivative = op.orders().map(|_| format!("{}_derivative", op.name()));
        for name in [Some(op.name().to_owned()), derivative].into_iter().flatten() {
            let single = head(&name).replace("f32", "f64");
            let renamed = single.replace(&format!("pp_{name}("), &format!("pp_{name}_f64("));
            assert_eq!(head(&format!("{name}_f64")), renamed);
        }
    }
}
