// What recorded formulas leave to the library.

fn pp_library_sin_f64(x: f64) -> f64 {
    return pp_nan_f64();
}

fn pp_library_cos_f64(x: f64) -> f64 {
    return pp_nan_f64();
}

fn pp_library_tan_f64(x: f64) -> f64 {
    return pp_nan_f64();
}

fn pp_library_lgamma_f64(x: f64) -> f64 {
    return pp_nan_f64();
}

fn pp_library_digamma_f64(x: f64) -> f64 {
    return pp_nan_f64();
}
