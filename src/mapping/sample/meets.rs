//! Values that meet what a guide asks of them: a form, a bound, the same day as another's.

use super::super::demand::{Class, Form, Operand, Piece, Relation, What};
use super::super::dictionary::Usage;
use super::super::guide::{Guide, PartUse, Use, UseId};
use super::super::value::{decode, encode, fault};
use super::Sampler;

/// An element: its use, its number, its component.
pub(super) type At = (UseId, usize, usize);

impl Guide {
    /// Whether some value may ask for a use, or for an element of it.
    pub(crate) fn asks_for(&self, id: UseId, element: Option<usize>) -> bool {
        self.demands.iter().any(|demand| {
            demand.owner == id
                && demand.at.map(|(element, _)| element) == element
                && matches!(demand.what, What::Usage(Usage::Mandatory))
        })
    }

    /// Two elements of which one is compared with the other, where being the same is right.
    fn pairs(&self) -> impl Iterator<Item = (At, At)> {
        self.demands.iter().filter_map(|demand| {
            let What::Compare(relation, Operand::Value(_, spot, days)) = &demand.what else {
                return None;
            };
            let may = match relation {
                Relation::AtLeast => *days <= 0,
                Relation::AtMost => *days >= 0,
                Relation::Same => *days == 0,
                _ => false,
            };
            let (element, component) = demand.at.filter(|_| may)?;
            let own = (demand.owner, element, component);
            Some((own, (spot.id, spot.element, spot.component)))
        })
    }

    fn number_of(&self, one: &Use) -> Option<UseId> {
        self.uses.iter().position(|other| std::ptr::eq(other, one))
    }
}

impl Sampler<'_> {
    /// The value of one that this one is compared with, be it by way of others.
    pub(super) fn related(
        &self,
        one: &Use,
        part: &PartUse,
        (element, component): (usize, usize),
    ) -> Option<String> {
        self.guide.pairs().next()?;
        let mut known = vec![(self.guide.number_of(one)?, element, component)];
        loop {
            let before = known.len();
            for (a, b) in self.guide.pairs() {
                for (here, there) in [(a, b), (b, a)] {
                    if known.contains(&here) && !known.contains(&there) {
                        known.push(there);
                    }
                }
            }
            if known.len() == before {
                break;
            }
        }
        let same = known[1..].iter().find_map(|at| self.made.get(at))?;
        let mut raw = String::new();
        let fits = encode(same, &part.def, None, &mut raw) && fault(&raw, &part.def).is_none();
        fits.then(|| same.clone())
    }

    /// Keeps a value that others are compared with.
    pub(super) fn remember(
        &mut self,
        one: &Use,
        (element, component): (usize, usize),
        value: &str,
    ) {
        if self.guide.pairs().next().is_some() {
            let at = self.guide.number_of(one).map(|id| (id, element, component));
            self.made.extend(at.map(|at| (at, value.to_owned())));
        }
    }

    /// Whether a value would break a bound, or forbid another value, which this sample has.
    pub(super) fn forbids(&self, one: &Use, part: &PartUse, at: (usize, usize), raw: &str) -> bool {
        let mut canonical = String::new();
        self.guide.demands.iter().any(|demand| match &demand.what {
            What::Usage(Usage::NotUsed) => demand.with.first().is_some_and(|first| {
                let spot = first.spot;
                std::ptr::eq(&self.guide.uses[spot.id], one)
                    && (spot.element, spot.component) == at
                    // What any value forbids, none avoids.
                    && !first.patterns.iter().any(|p| p.fits(b""))
                    && first.holds(&[raw.to_owned()])
            }),
            What::Compare(relation, Operand::Number(due)) => {
                std::ptr::eq(&self.guide.uses[demand.owner], one)
                    && demand.at == Some(at)
                    && decode(raw, part.def.data, None, &mut canonical)
                    && canonical
                        .parse()
                        .is_ok_and(|number: crate::canonical::Decimal| {
                            !relation.holds(number.value().cmp(&due.value()))
                        })
            }
            _ => false,
        })
    }

    /// A value of a form, of at most so many characters.
    pub(super) fn formed(&mut self, form: &Form, most: usize) -> String {
        let fixed: usize = form.0.iter().map(Piece::least).sum();
        let spare = most.saturating_sub(fixed).min(6);
        let mut made = String::new();
        for piece in &form.0 {
            match piece {
                Piece::Text(text) => made += text,
                Piece::Some(class, min, max) => {
                    let more = (self.choose)((max - min).min(spare) as u32 + 1) as usize;
                    made += &match class {
                        Class::Digits => self.digits(min + more),
                        Class::Letters => self.letters(min + more).replace(char::is_numeric, "X"),
                        Class::Any => self.letters(min + more),
                    };
                }
            }
        }
        made
    }
}
