//! Prints the worst error of every kernel as a Markdown table (`docs/accuracy.md`).
#[path = "../tests/support/mod.rs"]
mod support;

use probpipe_kernels::{Isa, table_for};
use support::{cases, promised, worst};

fn main() {
    let tables: Vec<_> = Isa::ALL.iter().filter_map(|&isa| table_for(isa)).collect();
    print!("| function | type | points | promised |");
    tables.iter().for_each(|table| print!(" {} |", table.isa()));
    print!(" worst at |\n|---|---|---|---|");
    tables.iter().for_each(|_| print!("---|"));
    println!("---|");
    for case in cases() {
        let single = case.precision == "f32";
        let goal = promised(&case.function);
        let goal = if single { goal.0 } else { goal.1 };
        print!("| {} | {} | {} | {goal} |", case.function, case.precision, case.x.len());
        let mut at = String::new();
        for table in &tables {
            let (error, x, y) =
                if single { worst::<f32>(table, &case) } else { worst::<f64>(table, &case) };
            print!(" {error:.2} |");
            if at.is_empty() {
                at = if y.is_nan() { format!("{x:e}") } else { format!("{x:e}, {y:e}") };
            }
        }
        println!(" {at} |");
    }
}
