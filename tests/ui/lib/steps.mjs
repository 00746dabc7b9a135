/** A journey is a test of named steps in order; after one that fails the rest cannot be judged. */

/** Hands back `step(name, body)`; a step that fails takes a picture of the screen and ends the journey. */
export function stepsOf(t, desktop) {
  return async (name, body) => {
    let failure;
    await t.test(name, async () => {
      try {
        await body();
      } catch (error) {
        failure = error;
        await desktop()?.screenshot("FAILED").catch(() => {});
        throw error;
      }
    });
    if (failure) throw new Error(`the journey ended at: ${name}`);
  };
}
