package gistmill.bench;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The command line: {@code --name value} for each name. */
final class Options {
    private static final Set<String> NAMES = Set.of(
            "brokers", "input", "output", "application", "store", "state-dir", "schema", "threads");

    private final Map<String, String> given = new HashMap<>();

    Options(String[] arguments) {
        for (int at = 0; at < arguments.length; at += 2) {
            String name = arguments[at].replaceFirst("^--", "");
            if (!NAMES.contains(name) || at + 1 == arguments.length) {
                throw new IllegalArgumentException("expected --name value with one of " + NAMES);
            }
            given.put(name, arguments[at + 1]);
        }
    }

    String text(String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    Path path(String name) {
        return Path.of(text(name));
    }

    int number(String name) {
        return Integer.parseInt(text(name));
    }
}
