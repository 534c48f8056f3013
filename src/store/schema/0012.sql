-- Nothing of a partner's is due before this; it may be that nothing is then. Who only waits is passed
-- over by a look at whose turn it is.
ALTER TABLE turn ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
CREATE INDEX turn_due ON turn (due);
CREATE TRIGGER work_queued AFTER INSERT ON work BEGIN
    UPDATE turn SET due = NEW.due WHERE partner = NEW.partner AND due > NEW.due;
END;
CREATE TRIGGER work_sooner AFTER UPDATE OF due ON work WHEN NEW.due < OLD.due BEGIN
    UPDATE turn SET due = NEW.due WHERE partner = NEW.partner AND due > NEW.due;
END;
