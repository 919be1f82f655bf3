//! The text form: golden texts, round trips, and a parser that no input brings down.

mod common;

use common::{round_trip, value};
use probpipe_testing::says;
use probpipe_trace::{
    Array, ArrayType, DType, ErrorKind, GraphBuilder, Op, array, fori_loop, parse, trace,
};
use proptest::prelude::*;

/// One of every shape of statement. It must print as it is written here.
const GOLDEN: [&str; 5] = [
    "graph () {
  return
}",
    "graph (%0:f32[2,3], %1:f32[3,4]) {
  %2:f32[] = const -1.5
  %3:f32[2,4] = dot %0 %1 lhs_contract=[1] rhs_contract=[0] lhs_batch=[] rhs_batch=[]
  %4:f32[2,4] = broadcast %2 shape=[2,4] axes=[]
  %5:f32[2,4] = max %3 %4
  %6:bool[2,4] = gt %5 %4
  %7:f32[2,4] = select %6 %5 %4
  %8:f32[4] = reduce_max %7 axes=[0]
  %9:f32[4,2] = transpose %7 permutation=[1,0]
  %10:f32[8] = reshape %9
  %11:f32[4] = slice %10 start=[0] limit=[8] stride=[2]
  %12:f32[12] = concat %8 %11 %8 axis=0
  %13:f32[15] = pad %12 %2 low=[1] high=[2] interior=[0]
  %14:f32[15] = reverse %13 axes=[0]
  %15:i32[15] = cast %14
  %16:u32[15] = bitcast %15
  %17:u32[15] = iota axis=0
  %18:u32[15] %19:u32[15] = threefry2x32 %16 %16 %17 %17
  return %18, %19, %0, %0
}",
    "graph (%2:f64[3,3], %0:f64[3,1]) {
  %1:f64[] = const nan
  %4:f64[] = const inf
  %5:f64[] = const -inf
  %6:f64[3] = const [0.1, -0.0, 5e-324]
  %7:f32[2] = const [0.1, 1e-45]
  %8:u64[2] = const [18446744073709551615, 0]
  %9:i32[2,1] = const [-2147483648, 7]
  %10:bool[2] = const [true, false]
  %11:u8[0] = const []
  %12:f64[3,3] = cholesky %2
  %3:f64[3,1] = triangular_solve %12 %0 lower=true transpose=false unit_diagonal=false
  return %3
}",
    "graph (%0:f64[], %1:f64[3]) {
  %2:i32[] = const 1
  %3:i32[] %4:f64[] %5:f64[3] = scan %0 %2 %0 %1 consts=1 carries=2 length=3 reverse=true \
body=graph (%0:f64[], %1:i32[], %2:f64[], %3:f64[]) {
    %4:f64[] = call %2 %3 name=inner_step body=graph (%0:f64[], %1:f64[]) {
      %2:f64[] = mul %0 %1
      return %2
    }
    return %1, %4, %0
  }
  return %3, %4, %5
}",
    "graph (%0:i32[], %1:f64[3], %2:f64[]) {
  %3:f64[3] %4:f64[] = switch %0 %1 %2 branches=2 branch0=graph (%0:f64[3], %1:f64[]) {
    return %0, %1
  } branch1=graph (%0:f64[3], %2:f64[]) {
    %1:f64[] = sum %0 axes=[0]
    return %0, %1
  }
  %5:i32[] %6:f64[3] = while %4 %2 %3 %0 %3 cond_consts=2 body_consts=1 \
cond=graph (%0:f64[], %1:f64[], %2:i32[], %3:f64[3]) {
    %4:bool[] = lt %0 %1
    return %4
  } body=graph (%0:f64[3], %1:i32[], %2:f64[3]) {
    %3:f64[3] = add %0 %2
    return %1, %3
  }
  return %5, %6
}",
];

#[test]
fn golden_texts_print_as_written() {
    for text in GOLDEN {
        let graph = parse(text).unwrap();
        assert_eq!(graph.to_string(), text);
        round_trip(&graph);
    }
}

#[test]
fn traced_functions_print() {
    let ty = ArrayType::new(DType::F32, [3]);
    let traced = trace(&[ty], |x| vec![(&x[0] * 2.0f32).sin()]).unwrap();
    let want = "graph (%0:f32[3]) {
  %1:f32[] = const 2.0
  %2:f32[3] = broadcast %1 shape=[3] axes=[]
  %3:f32[3] = mul %0 %2
  %4:f32[3] = sin %3
  return %4
}";
    assert_eq!(traced.graph.to_string(), want);
}

#[test]
fn traced_loops_round_trip() {
    let ty = ArrayType::new(DType::F64, [2, 2]);
    let traced = trace(&[ty], |x| {
        let shift = array([1.0, 2.0]).cast(DType::F64);
        vec![fori_loop(5, x[0].clone(), |_, c: Array| fori_loop(2, c, |_, d: Array| d + &shift))]
    })
    .unwrap();
    round_trip(&traced.graph);
}

#[test]
fn names_of_calls_are_words() {
    let inner = std::sync::Arc::new(parse("graph () { return }").unwrap());
    for (name, printed) in
        [("graph", "graph"), ("value-and.grad_2", "value-and.grad_2"), ("f(x)", "f_x_"), ("", "_")]
    {
        let op = Op::Call { graph: inner.clone(), name, lane: None };
        let text = common::one_op(&op, &[]).to_string();
        says(&text, &[&*format!("call name={printed} body=")]);
        round_trip(&parse(&text).unwrap());
    }
}

#[test]
fn layout_and_comments_are_free() {
    let text = "; a comment\ngraph(%0 : f32 [ 2 , 2 ] ,%1:f32[2,2]){%2:f32[2,2]=add %0 %1 ; end\n\
        %3:f32[2,2] = neg %2 return %3}";
    let graph = parse(text).unwrap();
    assert_eq!(graph.eqns().len(), 2);
    round_trip(&graph);
}

#[test]
fn constants_keep_their_bits() {
    let floats: Vec<f32> = (0..2000u32)
        .map(|i| f32::from_bits(i.wrapping_mul(0x9E37_79B9)))
        .filter(|v| !v.is_nan())
        .collect();
    let doubles: Vec<f64> = (0..2000u64)
        .map(|i| f64::from_bits(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .filter(|v| !v.is_nan())
        .collect();
    let mut builder = GraphBuilder::new();
    let x = builder.constant(value(&floats, &[floats.len()]));
    let y = builder.constant(value(&doubles, &[doubles.len(), 1]));
    round_trip(&builder.finish(vec![x, y]));
}

#[test]
fn errors_say_the_line_and_what_was_expected() {
    for (text, message) in [
        ("", "line 1: expected `graph`, found the end of the text"),
        ("graph (%0:f33[]) { return }", "line 1: expected an element type, found `f33`"),
        ("graph (%0:f32[2]) {\n return %0", "line 2: expected `}`, found the end of the text"),
        ("graph (%0:f32[])\n{\n%1:f32[] = sine %0\n}", "line 3: expected the name of an op"),
        ("graph () { %0:i32[] = const 1.5 return }", "line 1: expected a number of type i32"),
        ("graph () { %0:u8[2] = const [1] return }", "line 1: 1 elements cannot fill u8[2]"),
        ("graph () { return } }", "line 1: expected the end of the text, found `}`"),
        ("graph (%0:f32[]) { %1:f32[] = sum %0 return }", "`sum` needs the parameter `axes=`"),
        ("graph (%0:f32[]) { %1:f32[] = exp %0 axis=1 return }", "`exp` has no parameter `axis`"),
        ("graph (%0:f32[]) { %1:f32[] = cast %0 a=1 a=2 return }", "parameter `a` is given twice"),
        ("graph (%99:f32[]) { return }", "defines 1 variables, but not %0"),
        ("graph () { = cast return }", "`cast` has one result, not 0"),
        ("graph (%0:f32[]) { return % }", "expected a variable"),
        ("graph ($)", "unexpected character '$'"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parse);
        says(&error, &[message]);
    }
}

#[test]
fn absurd_texts_are_refused() {
    for text in [
        "graph () { %0:f32[99999999999] = const [1.0] return %0 }".to_string(),
        "graph () { %0:f32[9223372036854775807,9223372036854775807,0] = const [] return }".into(),
        "graph () { %0:f32[9223372036854775807,2] = iota axis=0 return %0 }".into(),
        "graph (%0:f32[9223372036854775807]) { return %0 }".into(),
        "graph (%0:f32[2], %1:f32[]) { %2:f32[2] = pad %0 %1 low=[9223372036854775807] \
            high=[9223372036854775807] interior=[9223372036854775807] return %2 }"
            .into(),
        "graph () { %0:f32[] = scan consts=9223372036854775807 carries=9223372036854775807 \
            length=9223372036854775807 reverse=false body=graph () { return } return }"
            .into(),
        "graph (%4294967295:f32[]) { return }".into(),
        "graph (%4294967296:f32[]) { return }".into(),
        format!("graph (%0:f32[{}1]) {{ return }}", "1,".repeat(100_000)),
        "graph () { = call name=a body=".repeat(10_000),
        "graph (".repeat(10_000),
        format!("graph () {{ = concat {} return }}", "%0 ".repeat(20_000)),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parse);
    }
    // A type alone takes no memory.
    parse("graph () { %0:f32[99999999999] = iota axis=0 return %0 }").unwrap();
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let open = "graph () { = call name=a body=".repeat(depth);
        format!("{open} graph () {{ return }} {}", "return } ".repeat(depth))
    };
    round_trip(&parse(&nested(64)).unwrap());
    assert!(parse(&nested(65)).unwrap_err().message().contains("nest deeper"));
}

/// What the parser knows, in any order: gets further than random characters.
fn words() -> impl Strategy<Value = String> {
    let vocabulary = [
        "graph",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "=",
        "%0",
        "%1",
        "%2",
        "%4294967295",
        "f32",
        "i64",
        "bool",
        "const",
        "return",
        "add",
        "exp",
        "sum",
        "scan",
        "call",
        "body=graph",
        "switch",
        "while",
        "branches=1",
        "branch0=graph",
        "cond=graph",
        "cond_consts=0",
        "body_consts=1",
        "axes=[0]",
        "shape=[2,2]",
        "%3:f32[2]",
        "%1:f32[]",
        "1.0",
        "-inf",
        "nan",
        "0",
        "9223372036854775807",
        "\n",
        ";",
        "name=x",
        "consts=1",
        "carries=1",
        "length=2",
        "reverse=true",
        "pad",
        "slice",
        "dot",
        "iota",
        "axis=0",
        "graph (%0:f32[2]) {",
        "return %0 }",
    ];
    let word = (0..vocabulary.len()).prop_map(move |i| vocabulary[i]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// A golden text with some bytes replaced, removed or repeated.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..4u8, any::<u8>());
    (0..GOLDEN.len(), prop::collection::vec(edit, 1..6)).prop_map(|(which, edits)| {
        let mut bytes = GOLDEN[which].as_bytes().to_vec();
        for (at, what, byte) in edits {
            let at = at.index(bytes.len());
            let printable = b' ' + byte % 95;
            match what {
                0 => bytes[at] = printable,
                1 => bytes.insert(at, printable),
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + usize::from(byte)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whatever is accepted prints and reads back.
fn survives(text: &str) {
    match parse(text) {
        Ok(graph) => round_trip(&graph),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Parse, "{text:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_string_survives(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_words_survive(text in words()) {
        survives(&text);
    }

    #[test]
    fn mutated_texts_survive(text in mutated()) {
        survives(&text);
    }
}

#[test]
fn what_holds_rust_code_is_not_read_back() {
    let text = "graph (%0:f32[2]) {\n  %1:f32[2] = checkpoint %0 body=graph (%0:f32[2]) {\n    \
        %1:f32[2] = sin %0\n    return %1\n  }\n  return %1\n}";
    let graph = parse(text).unwrap();
    assert_eq!(graph.to_string(), text);
    round_trip(&graph);
    for text in [
        "graph (%0:f32[2]) { %1:f32[2] = custom %0 name=f body=graph () { return } return %1 }",
        "graph (%0:f32[2]) { %1:f32[2] = callback %0 name=f vectorized=true return %1 }",
    ] {
        let error = parse(text).unwrap_err().to_string();
        says(&error, &["holds Rust code"]);
    }
}
