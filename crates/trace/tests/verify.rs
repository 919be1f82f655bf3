//! Every kind of broken graph is found, all faults at once, and shown with the text around them.
//! `parse` gives out only what verifies, so broken texts are how the faults come about here.

use probpipe_testing::says;
use probpipe_trace::{ErrorKind, parse, verify};

/// The text is refused for a reason that contains `fault`.
#[track_caller]
fn refuses(text: &str, fault: &str) {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Parse);
    says(&error, &[fault]);
}

#[test]
fn a_sound_graph_verifies() {
    let graph = parse("graph (%0:f32[2]) { %1:f32[2] = exp %0 return %1, %1, %0 }").unwrap();
    assert_eq!(verify(&graph).map(|proof| proof.graph().eqns().len()), Ok(graph.eqns().len()));
}

#[test]
fn ids_out_of_range() {
    refuses("graph (%0:f32[]) { %1:f32[] = exp %7 return %1 }", "%7 is not in the table");
    refuses("graph (%0:f32[]) { return %7 }", "%7 is not in the table");
}

#[test]
fn variables_defined_twice() {
    refuses("graph (%0:f32[], %0:f32[]) { return }", "%0 is defined again as an input");
    refuses(
        "graph (%0:f32[]) { %0:f32[] = const 1.0 return }",
        "%0 is defined again as a constant",
    );
    refuses("graph (%0:f32[]) { %0:f32[] = exp %0 return }", "%0 is defined again as a result");
    refuses(
        "graph (%0:u32[]) { %1:u32[] %1:u32[] = threefry2x32 %0 %0 %0 %0 return }",
        "%1 is defined again as a result",
    );
}

#[test]
fn uses_before_definitions() {
    let text = "graph (%0:f32[]) { %1:f32[] = exp %2 %2:f32[] = exp %0 return %1 }";
    refuses(text, "%2 is used before it is defined\n  > %1:f32[] = exp %2");
    refuses("graph () { %0:f32[] = exp %0 return %0 }", "%0 is used before it is defined");
}

#[test]
fn wrong_result_types() {
    refuses(
        "graph (%0:f32[2]) { %1:f32[3] = exp %0 return %1 }",
        "`exp` gives [f32[2]], the table says [f32[3]]",
    );
    refuses("graph (%0:f32[2]) { %1:bool[2] = exp %0 return %1 }", "the table says [bool[2]]");
    refuses("graph (%0:f32[2]) { = exp %0 return }", "the table says []");
    refuses("graph (%0:f32[2]) { %1:f32[2] %2:f32[2] = exp %0 return }", "`exp` gives [f32[2]]");
}

#[test]
fn operands_that_do_not_fit() {
    refuses("graph (%0:f32[], %1:f64[]) { %2:f32[] = add %0 %1 return }", "does not mix");
    refuses("graph (%0:f32[2], %1:f32[3]) { %2:f32[2] = add %0 %1 return }", "cannot broadcast");
    refuses("graph (%0:f32[]) { %1:f32[] = add %0 return }", "`add` takes 2 operands, not 1");
    refuses("graph () { %0:f32[0] = concat axis=0 return }", "`concat` needs an array");
    refuses("graph (%0:i32[]) { %1:i32[] = exp %0 return }", "`exp` takes a float");
}

#[test]
fn parameters_that_do_not_fit() {
    for (types, equation, fault) in [
        ("%0:f32[2]", "%1:f32[] = sum %0 axes=[1]", "does not fit"),
        ("%0:f32[2]", "%1:f32[] = sum %0 axes=[0,0]", "does not fit"),
        ("%0:f32[2]", "%1:f32[3] = broadcast %0 shape=[3] axes=[0]", "cannot broadcast"),
        ("%0:f32[2]", "%1:f32[3] = reshape %0", "cannot reshape"),
        ("%0:f32[2,2]", "%1:f32[2,2] = transpose %0 permutation=[0,0]", "not a permutation"),
        ("%0:f32[2]", "%1:f32[2] = slice %0 start=[1] limit=[3] stride=[1]", "does not fit axis"),
        ("%0:f32[2]", "%1:f32[2] = slice %0 start=[0] limit=[2] stride=[0]", "does not fit axis"),
        ("%0:f32[2]", "%1:f32[2] = reverse %0 axes=[1]", "does not fit"),
        ("%0:f32[2]", "%1:f32[2] = iota axis=1", "does not fit"),
        ("%0:f32[2]", "%1:bool[2] = iota axis=0", "counts in numbers"),
        ("%0:f32[2,3]", "%1:f32[2,3] = cholesky %0", "square"),
        (
            "%0:f32[2,3]",
            "%1:f32[2,2] = dot %0 %0 lhs_contract=[1] rhs_contract=[0] lhs_batch=[] rhs_batch=[]",
            "cannot contract",
        ),
        ("%0:f32[2]", "%1:f64[2] = bitcast %0", "keeps the width"),
    ] {
        refuses(&format!("graph ({types}) {{ {equation} return }}"), fault);
    }
}

#[test]
fn loops_and_calls_that_do_not_fit() {
    let scan = |inputs: &str, length: usize, result: &str| {
        format!(
            "graph (%0:f32[], %1:f32[3]) {{
               %2:f32[] = scan {inputs} consts=0 carries=1 length={length} reverse=false \
                 body=graph (%0:f32[], %1:f32[]) {{ %2:f32[] = add %0 %1 return {result} }}
               return %2 }}"
        )
    };
    parse(&scan("%0 %1", 3, "%2")).unwrap();
    refuses(&scan("%0 %1", 4, "%2"), "`scan` of 4 steps takes f32[] per step, not f32[3]");
    refuses(&scan("%0 %0", 3, "%2"), "per step, not f32[]");
    refuses(&scan("%0", 3, "%2"), "`scan` takes 2 operands, not 1");
    refuses(&scan("%0 %1", 3, ""), "too few inputs or outputs");
    refuses(&scan("%0 %1", 3, "%2, %2"), "the table says [f32[]]");
    // The variables of the outer graph are not those of the body.
    refuses(&scan("%0 %1", 3, "%3"), "in the body: %3 is not in the table");
    refuses(
        "graph (%0:f32[]) { %1:f32[] = call %0 name=f body=graph (%0:f64[]) { return %0 } return }",
        "`call` input 0 is f32[], the graph takes f64[]",
    );
}

#[test]
fn types_that_fit_no_memory() {
    let text = "graph (%0:f32[4611686018427387904,4]) { %1:f32[] = sum %0 axes=[0,1] return %1 }";
    refuses(text, "does not fit in memory");
}

#[test]
fn all_faults_are_listed() {
    let text = "graph (%0:f32[]) {
        %1:f64[] = exp %0
        %2:f32[] = add %0 %9
        return %8
      }";
    let error = parse(text).unwrap_err();
    for fault in [
        "the graph has 3 faults",
        "\n- `exp` gives [f32[]], the table says [f64[]]\n  > %1:f64[] = exp %0",
        "\n- %9 is not in the table of variables\n    %1:f64[] = exp %0\n  > %2:f32[] = add %0 %9",
        "\n- %8 is not in the table of variables",
    ] {
        says(&error, &[fault]);
    }
}

#[test]
fn branches_and_conditional_loops() {
    let switch = |inputs: &str, one: &str, two: &str| {
        format!(
            "graph (%0:i32[], %1:f32[3]) {{
               %2:f32[3] = switch {inputs} branches=2 branch0={one} branch1={two}
               return %2
             }}"
        )
    };
    let same = "graph (%0:f32[3]) { return %0 }";
    let sum = "graph (%0:f32[3]) { %1:f32[] = sum %0 axes=[0] return %1 }";
    let pair = "graph (%0:f32[3], %1:f32[3]) { return %0 }";
    let broken = "graph (%0:f32[3]) { return %1 }";
    parse(&switch("%0 %1", same, same)).unwrap();
    refuses(&switch("%0 %1", same, sum), "branch 1 of `switch` gives [f32[]], branch 0 [f32[3]]");
    refuses(&switch("%0 %1", same, pair), "branch 1 of `switch` takes");
    refuses(&switch("%0 %1", same, broken), "in branch 1: %1 is not in the table");
    refuses(&switch("%1 %1", same, same), "`switch` chooses by an i32 scalar, not f32[3]");
    refuses(&switch("%0", same, same), "`switch` takes 2 operands, not 1");
    refuses("graph (%0:i32[]) { = switch %0 branches=0 return }", "`switch` has no branches");
    refuses("graph (%0:i32[]) { = switch %0 branches=9 return }", "needs the parameter `branch0=`");

    let repeat = |inputs: &str, consts: &str, cond: &str, body: &str| {
        format!(
            "graph (%0:i32[], %1:f32[3]) {{
               %2:f32[3] = while {inputs} {consts} cond={cond} body={body}
               return %2
             }}"
        )
    };
    let never = "graph (%0:f32[3]) { %1:bool[] = const false return %1 }";
    let number = "graph (%0:f32[3]) { %1:f32[] = sum %0 axes=[0] return %1 }";
    let (none, one) = ("cond_consts=0 body_consts=0", "cond_consts=0 body_consts=1");
    parse(&repeat("%1", none, never, same)).unwrap();
    parse(&repeat("%1 %1", one, never, pair)).unwrap();
    refuses(&repeat("%1", none, number, same), "gives [f32[]], not one bool scalar");
    refuses(&repeat("%1", none, never, sum), "and a step gives [f32[]]");
    refuses(&repeat("%1 %1", none, never, pair), "graphs that do not fit its parts");
    refuses(&repeat("%0", none, never, same), "the condition of `while` takes [f32[3]]");
    refuses(&repeat("%1", none, broken, same), "in the condition: %1 is not in the table");
    refuses(&repeat("%1", none, never, broken), "in the body: %1 is not in the table");
    let huge = "cond_consts=9223372036854775807 body_consts=9223372036854775807";
    refuses(&repeat("%1", huge, never, same), "while");
}
