"""The pages behind mailed links. They work without JavaScript; looking at one changes nothing, its button does."""
