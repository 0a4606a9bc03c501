// Which Nightshift this is: as package.json says, which programs that are bundled do not have beside them.
export const VERSION = "0.1.0";
