/** Imported first, it has this process and its children refuse external buffers, as Electron does. */
process.env.MOBULA_COPY_VIEWS = '1';
