//! The checks of [`Envelopes`]: each makes at most one finding for one cause.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use super::envelope::{Role, SET_LIMIT};
use super::read::number;
use super::values;
use super::{Envelopes, Fault, Finding, Location, Severity, Text, Value, functional_id, text};

impl<R: Read> Envelopes<R> {
    fn tell(&mut self, fault: Fault, location: Location, message: Text, fix: Text) {
        self.reader.note(fault, location, message, fix);
    }

    fn location(&self, element: Option<usize>) -> Location {
        let segment = self.reader.current();
        match element {
            Some(number) => Location::of_element(&segment, number),
            None => Location::of(&segment),
        }
    }

    pub(super) fn check_interchange(&mut self) {
        let wrong = values::of_isa(&self.reader.current());
        wrong
            .into_iter()
            .for_each(|finding| self.reader.push(finding));
        let header = &self.interchange.header;
        let key = hash(&(&header.sender, &header.control_number));
        if !self.seen.insert(key) {
            let (number, sender) = (&header.control_number, &header.sender.id);
            let message = text!(
                "interchange {number} of {sender} is in this file twice",
                number,
                sender
            );
            let location = self.location(Some(13));
            let fix = text!("give every interchange a control number of its own");
            self.tell(Fault::DuplicateInterchange, location, message, fix);
        }
    }

    pub(super) fn check_group(&mut self) {
        let view = self.reader.current();
        let wrong = values::of_gs(&view, &self.group.header);
        wrong
            .into_iter()
            .for_each(|finding| self.reader.push(finding));
        let header = &self.group.header;
        let (isa, gs) = (&self.interchange.header.version, &header.version);
        let major = |v: &str| v.get(..3).and_then(number);
        if let (Some(a), Some(b)) = (major(isa), major(gs))
            && a != b
        {
            let message = text!("ISA12 is {isa} and GS08 is {gs}", isa, gs);
            let location = self.location(Some(8));
            let fix = text!(
                "name the release of the group in ISA12 too, unless the partner asks otherwise"
            );
            self.tell(Fault::VersionMismatch, location, message, fix);
        }
        let header = &self.group.header;
        if !self.interchange.seen.insert(hash(&header.control_number)) {
            let message = text!(
                "group {number} is in this interchange twice",
                number = &header.control_number
            );
            let location = self.location(Some(6));
            let fix = text!("give every group a control number of its own");
            self.tell(Fault::DuplicateGroup, location, message, fix);
        }
    }

    pub(super) fn check_set(&mut self) {
        let (set, group) = (&self.set, &mut self.group);
        let number = &set.control_number;
        if !group.seen.insert(hash(number)) {
            let message = text!("set {number} is in this group twice", number);
            let location = self.location(Some(2));
            let fix = text!("give every set of a group a control number of its own");
            self.tell(Fault::DuplicateSet, location, message, fix);
        }
        let (id, told) = (&self.set.id, &mut self.group.misfit);
        let group = &self.group.header.functional_id;
        let due = functional_id(id).filter(|due| due != group && told != id);
        if let Some(due) = due {
            told.clone_from(id);
            let id = id.clone();
            let message = text!(
                "a set {id} in a group with GS01 = {group}; {due} was due",
                id = &id,
                group,
                due
            );
            let location = self.location(Some(1));
            let fix = text!(
                "put {due} into GS01, or the set into a group of its own",
                due
            );
            let mut finding = Finding::new(Fault::GroupIdMismatch, location, message, fix);
            if id == "864" {
                // A text message is for people to read: groups that carry one along with the
                // documents that it speaks of are common, and no program is misled.
                finding.severity = Severity::Warning;
            }
            self.reader.push(finding);
        }
    }

    pub(super) fn check_end_of_set(&mut self) {
        let actual = u64::from(self.length) + 2;
        let empties = u64::from(self.reader.empties - self.empties);
        let declared = number(&self.trailer.count);
        if !declared.is_some_and(|n| (actual..=actual + empties).contains(&n)) {
            let message = text!(
                "SE01 says {count} segments; set {number} has {actual} from ST to SE",
                count = shown(&self.trailer.count),
                number = &self.set.control_number,
                actual
            );
            let location = self.location(Some(1));
            self.tell(
                Fault::SeCount,
                location,
                message,
                text!("write {actual} into SE01", actual),
            );
        }
        let header = std::mem::take(&mut self.set.control_number);
        self.check_trailer(Fault::SeControl, ("SE02", "ST02"), &header);
        self.set.control_number = header;
    }

    pub(super) fn check_end_of_group(&mut self) {
        let header = self.group.header.control_number.clone();
        let (actual, damaged) = (self.group.count, self.group.damaged);
        if number(&self.trailer.count) != Some(actual) && !damaged {
            let count = shown(&self.trailer.count);
            let message = text!(
                "GE01 says {count} sets; group {header} has {actual}",
                count,
                header = &header,
                actual
            );
            let location = self.location(Some(1));
            self.tell(
                Fault::GeCount,
                location,
                message,
                text!("write {actual} into GE01", actual),
            );
        } else if actual == 0 && !damaged {
            let location = self.location(None);
            let message = text!("group {header} holds no set", header = &header);
            self.tell(
                Fault::EmptyGroup,
                location,
                message,
                text!("leave out groups without a set"),
            );
        }
        self.check_trailer(Fault::GeControl, ("GE02", "GS06"), &header);
    }

    pub(super) fn check_end_of_interchange(&mut self) {
        let level = &self.interchange;
        let header = level.header.control_number.clone();
        let (actual, damaged) = (level.count, level.damaged);
        let empty = actual == 0 && level.answers == 0;
        if number(&self.trailer.count) != Some(actual) && !damaged {
            let count = shown(&self.trailer.count);
            let message = text!(
                "IEA01 says {count} groups; interchange {header} has {actual}",
                count,
                header = &header,
                actual
            );
            let location = self.location(Some(1));
            self.tell(
                Fault::IeaCount,
                location,
                message,
                text!("write {actual} into IEA01", actual),
            );
        } else if empty && !damaged {
            let location = self.location(None);
            let message = text!(
                "interchange {header} holds neither a group nor a TA1",
                header = &header
            );
            self.tell(
                Fault::NoGroups,
                location,
                message,
                text!("send no interchange where there is nothing to say"),
            );
        }
        self.check_trailer(Fault::IeaControl, ("IEA02", "ISA13"), &header);
    }

    /// The control number of a trailer against its header's, and zeros in front of either number.
    fn check_trailer(&mut self, fault: Fault, names: (&str, &str), header: &str) {
        let (trailer, header) = (self.trailer.control_number.trim(), header.trim());
        let equal_numbers = number(trailer).is_some() && number(trailer) == number(header);
        let (here, there) = names;
        if trailer != header && !equal_numbers {
            let message = text!(
                "{here} is {trailer} and {there} is {header}",
                here,
                trailer = shown(trailer),
                there,
                header = shown(header)
            );
            let location = self.location(Some(2));
            self.tell(
                fault,
                location,
                message,
                text!("write the value of {there} into {here}", there, here),
            );
        } else if trailer != header {
            let message = text!(
                "{here} is {trailer} and {there} is {header}: the same number",
                here,
                trailer,
                there,
                header
            );
            let location = self.location(Some(2));
            self.tell(
                Fault::LeadingZeros,
                location,
                message,
                text!("write {here} as {there}", here, there),
            );
        }
        let count = &self.trailer.count;
        if count.len() > 1 && count.starts_with('0') && number(count).is_some() {
            let message = text!("the count {count} has zeros in front", count);
            let location = self.location(Some(1));
            self.tell(
                Fault::LeadingZeros,
                location,
                message,
                text!("write counts without zeros in front"),
            );
        }
    }

    /// A level ends without its trailer: told once, for the innermost.
    pub(super) fn tell_missing(&mut self, role: Role) {
        let set = text!(
            "set {number} ({id})",
            number = &self.set.control_number,
            id = &self.set.id
        );
        let group = text!("group {number}", number = &self.group.header.control_number);
        let interchange = text!(
            "interchange {number}",
            number = &self.interchange.header.control_number
        );
        let here = Location::from(self.reader.position());
        if role == Role::End {
            let open = match (self.in_set, self.group.open) {
                (true, _) => set,
                (false, true) => group,
                (false, false) => interchange,
            };
            if self.interchange.damaged && !self.group.open {
                return;
            }
            let inside = self.reader.truncated() || self.group.open;
            let (fault, message) = match inside {
                true => (Fault::Truncated, text!("the file ends inside {open}", open)),
                false => (
                    Fault::MissingIea,
                    text!("the file ends, and {open} has no IEA", open),
                ),
            };
            self.tell(
                fault,
                here,
                message,
                text!("ask the sender for the whole file"),
            );
            return;
        }
        if self.interchange.damaged && !self.group.open {
            return;
        }
        let (fault, level, tag) = match (self.in_set, self.group.open) {
            (true, _) => (Fault::MissingSe, set, "SE"),
            (false, true) => (Fault::MissingGe, group, "GE"),
            (false, false) => (Fault::MissingIea, interchange, "IEA"),
        };
        let before = self.held_location();
        let next = before.tag.clone();
        let message = text!(
            "{level} has no {tag} before the next {next}",
            level,
            tag,
            next
        );
        self.tell(
            fault,
            before,
            message,
            text!("write {tag} where it ends", tag),
        );
    }

    /// A segment that belongs nowhere: told once, and the rest up to the next header goes with it.
    pub(super) fn tell_adrift(&mut self, role: Role) {
        match self.group.open {
            true => self.group.damaged = true,
            false => self.interchange.damaged = true,
        }
        if std::mem::replace(&mut self.adrift, true) {
            return;
        }
        let location = self.location(None);
        let tag = &location.tag;
        let (message, fix) = match role {
            Role::St | Role::Ge => (
                text!("{tag} without GS before it", tag),
                text!("write GS before it"),
            ),
            Role::Se => (
                text!("{tag} without ST before it", tag),
                text!("write ST before it"),
            ),
            Role::Ta1 => (
                text!("{tag} after a group", tag),
                text!("write TA1 before the first GS"),
            ),
            _ => (
                text!("the segment {tag} stands outside any transaction set", tag),
                text!("look for a damaged ST or GS before it, or take it out"),
            ),
        };
        self.tell(Fault::OutsideSet, location, message, fix);
    }

    #[cold]
    pub(super) fn tell_cut(&mut self) {
        let message = text!(
            "a set of more than {limit} bytes: the rest of it was not kept",
            limit = SET_LIMIT
        );
        self.tell(
            Fault::TooLong,
            self.reader.at.into(),
            message,
            text!("split the set"),
        );
    }
}

/// A value as it stands in a message.
fn shown(value: &str) -> Value {
    if value.is_empty() {
        text!("nothing").into()
    } else {
        value.into()
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
