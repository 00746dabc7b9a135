import { useLock, usePrivacy } from "../api/privacy";

/** Locks at once; without a passphrase it leads to where one is set. */
export function useLockNow(onNone: () => void): () => void {
  const { data } = usePrivacy();
  const { mutate } = useLock();
  return () => (data?.passphrase === false ? onNone() : mutate(undefined, { onError: onNone }));
}
