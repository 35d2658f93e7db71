// Dropped files, kept in the browser: after a reload, or when the server was restarted, they are sent again.

const MAX_KEPT = 8;
const STORE = "files";

/** @returns {Promise<IDBDatabase>} */
const opened = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("soundalike", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} action
 * @returns {Promise<T>}
 */
async function within(mode, action) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/**
 * Keeps a file under the id of its upload; the oldest go. A browser that keeps nothing is none the worse until a reload.
 * @param {string} id
 * @param {File} file
 */
export async function keep(id, file) {
  try {
    await within("readwrite", (store) => store.put({ file, time: Date.now() }, id));
    const keys = await within("readonly", (store) => store.getAllKeys());
    const kept = await within("readonly", (store) => store.getAll());
    const oldest = keys.map((key, n) => ({ key, time: kept[n]?.time ?? 0 })).sort((a, b) => b.time - a.time);
    for (const { key } of oldest.slice(MAX_KEPT)) await within("readwrite", (store) => store.delete(key));
  } catch {
    // private windows and full disks: the file has to be dropped again
  }
}

/**
 * The file that was uploaded under this id; null if it is not kept.
 * @param {string} id
 * @returns {Promise<File | null>}
 */
export async function kept(id) {
  try {
    return (await within("readonly", (store) => store.get(id)))?.file ?? null;
  } catch {
    return null;
  }
}
