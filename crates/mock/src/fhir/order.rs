//! The order of elements, which counts in XML (FHIR R4, xml.html): read off HL7's StructureDefinitions
//! by `tests/interop/r4-order.mjs`, whose test holds the table against them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A line for each type and each element with children: its name, then the children in order, each with
/// what stands inside it where that is no primitive (`Period id extension:Extension start end`).
const TABLE: &str = include_str!("r4-order.txt");

/// Children in order, each with the name of the line for what is inside.
type Children = Vec<(&'static str, Option<&'static str>)>;

static LINES: LazyLock<HashMap<&'static str, Children>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let children = |word: &'static str| match word.split_once(':') {
            Some((name, inside)) => (name, Some(inside)),
            None => (word, None),
        };
        Some((words.next()?, words.map(children).collect()))
    });
    lines.collect()
});

/// What is known of an element: a type's name, or the path of an element with children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context(Option<&'static str>);

impl Context {
    /// That of a type; of one that R4 does not know nothing is known.
    pub(super) fn of(kind: &str) -> Self {
        Context(LINES.get_key_value(kind).map(|(name, _)| *name))
    }

    /// Which place the child has, and what is known inside it; `None` where the context does not know it.
    pub(super) fn child(self, name: &str) -> Option<(usize, Context)> {
        let children = LINES.get(self.0?)?;
        let exact = children.iter().position(|(child, _)| *child == name);
        if let Some(place) = exact {
            let inside = children.get(place).and_then(|(_, inside)| *inside);
            return Some((place, Context(inside)));
        }
        // `value[x]` stands for `valueQuantity` and the like, whose end names the type.
        children.iter().enumerate().find_map(|(place, (child, _))| {
            let kind = name.strip_prefix(child.strip_suffix("[x]")?)?;
            let is_type = kind.starts_with(|first: char| first.is_ascii_uppercase());
            is_type.then(|| (place, Context::of(kind)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_the_place_that_r4_gives_them() {
        let observation = Context::of("Observation");
        let place = |name: &str| observation.child(name).unwrap().0;
        assert!(place("status") < place("code"));
        assert!(place("effectiveDateTime") < place("issued"));
        assert!(place("issued") < place("valueQuantity"));
        assert!(observation.child("colour").is_none());
    }

    #[test]
    fn what_is_inside_is_followed_through_types_choices_and_own_parts() {
        let inside = |context: Context, name: &str| context.child(name).unwrap().1;
        let observation = Context::of("Observation");
        assert_eq!(
            inside(observation, "valueQuantity"),
            Context::of("Quantity")
        );
        let component = inside(observation, "component");
        let range = inside(component, "referenceRange");
        assert!(range.child("low").unwrap().0 < range.child("high").unwrap().0);
        let age = inside(Context::of("Condition"), "onsetAge");
        assert!(age.child("value").unwrap().0 < age.child("code").unwrap().0);
        assert!(inside(observation, "status").child("id").is_none());
        assert!(Context::of("Basket").child("id").is_none());
    }
}
