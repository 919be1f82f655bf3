//! How records print: a line for each part, and branches for the parts of parts. Numbers take the
//! precision that is asked for, `{:.3}`.

use super::{Part, Record};
use std::fmt;

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, part)) in self.parts().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            entry(f, name, part, "")?;
        }
        Ok(())
    }
}

/// A part behind its name; lines but the first begin with `indent`.
fn entry(f: &mut fmt::Formatter<'_>, name: &str, part: &Part, indent: &str) -> fmt::Result {
    match part {
        Part::Array(array) => {
            let text = match f.precision() {
                Some(digits) => format!("{name}: {array:.digits$}"),
                None => format!("{name}: {array}"),
            };
            f.write_str(&text.replace('\n', &format!("\n{indent}{:1$}", "", name.len() + 2)))
        }
        Part::Record(record) => {
            f.write_str(name)?;
            for (i, (name, part)) in record.parts().enumerate() {
                let last = i + 1 == record.len();
                let (branch, below) =
                    if last { ("└── ", "    ") } else { ("├── ", "│   ") };
                write!(f, "\n{indent}{branch}")?;
                entry(f, name, part, &format!("{indent}{below}"))?;
            }
            Ok(())
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.parts()).finish()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Array(array) => array.fmt(f),
            Part::Record(record) => record.fmt(f),
        }
    }
}
